/// The list in pages, as every server knows it.
extension Informer {
    mutating func startList() {
        let version = versionToList ?? (isVersionUnavailable ? "" : "0")
        // A limit on a list at a version makes old servers read etcd instead of their watch cache.
        let isPaged = isPagedByServer || version.isEmpty || version == "0"
        let request = ListRequest(resourceVersion: version, limit: isPaged ? Self.pageSize : nil)
        state = .listing(Listing(request: request, requested: version))
    }

    mutating func receivePage(
        _ items: [Object], resourceVersion version: String, continueToken: String?, now: Instant
    ) -> [Affected] {
        guard case .listing(var listing) = state else { return [] }  // late
        noteContact(now: now)
        listing.pages.append(items)
        listing.version = listing.version ?? version
        if let token = continueToken, !token.isEmpty {
            guard token != listing.request.continueToken else {
                backOff(then: .list, now: now)  // the server goes in circles
                return []
            }
            listing.request = ListRequest(limit: Self.pageSize, continueToken: token)
            state = .listing(listing)
            return []
        }
        return completeList(listing)
    }

    private mutating func completeList(_ listing: Listing) -> [Affected] {
        isPagedByServer = isPagedByServer || (listing.requested == "0" && listing.pages.count > 1)
        if streamingUse == .thisTimeNot { streamingUse = .asked }
        unblock(.list)
        startWatch()
        return complete(Array(listing.pages.joined()), version: listing.version ?? "")
    }

    /// Makes a complete list the cache.
    mutating func complete(_ items: [Object], version: String) -> [Affected] {
        resourceVersion = version
        isSynced = true
        isVersionUnavailable = false
        return cache.replace(with: items)
    }

    mutating func failList(_ listing: Listing, _ failure: Failure, now: Instant) {
        switch failure {
        case .gone, .expired, .resourceVersionTooLarge:
            if listing.request.continueToken != nil {
                let request = ListRequest(resourceVersion: listing.requested)
                state = .listing(Listing(request: request, requested: listing.requested))
            } else if listing.requested.isEmpty {
                backOff(then: .list, now: now)
            } else {
                isVersionUnavailable = true
                startList()
            }
        case .notFound, .forbidden:
            block = (failure, .list)
            backOff(then: .list, now: now)
        case .tooManyRequests(let retryAfter):
            backOff(then: .list, atLeast: retryAfter, now: now)
        case .unreachable, .serverError, .unauthorized, .idle, .invalid, .other:
            backOff(then: .list, now: now)
        }
    }
}
