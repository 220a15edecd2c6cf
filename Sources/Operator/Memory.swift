import CMalloc

/// Sets the C library's allocator to waste less; to be called before there are threads.
///
/// By default it gives each thread a region of its own, and what one thread frees another cannot use: with the few
/// threads that share our work by turns, the process grew to nearly twice of what it held. Large blocks, the documents
/// and replies of some MB, are mapped one by one, so that they go back to the system when they are freed.
package func economizeMemory() {
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, 256 << 10)
}
