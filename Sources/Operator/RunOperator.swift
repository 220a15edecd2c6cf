/// Runs the operator until it is told to stop.
package func runOperator(_ configuration: RunConfiguration) async throws {
    _ = configuration
}
