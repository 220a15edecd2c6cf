/// Why a resource cannot even be named.
package struct MalformedResource: Error, Hashable, Sendable {
    package var problem: String

    package init(problem: String) {
        self.problem = problem
    }
}

/// What every resource must have before anything can be said of it.
struct ResourceMetadata {
    let owner: Owner
    let resourceVersion: String
    let generation: Int

    init(json: JSON) throws(MalformedResource) {
        guard let metadata = json["metadata"] else { throw MalformedResource(problem: "metadata is missing") }
        func required(_ name: String) throws(MalformedResource) -> String {
            guard let value = metadata[name]?.string, !value.isEmpty else {
                throw MalformedResource(problem: "metadata.\(name) is missing")
            }
            return value
        }
        owner = Owner(namespace: try required("namespace"), name: try required("name"), uid: try required("uid"))
        resourceVersion = try required("resourceVersion")
        generation = metadata["generation"]?.int ?? 1
    }
}
