import BusinessPolicy

/// A Lease of `coordination.k8s.io`: who has something for himself, and until when he says so.
package struct Lease: Hashable, Sendable {
    package var version: Version
    /// Empty when nobody has it.
    package var holder: String
    package var durationSeconds: Int?
    /// As the holder wrote it.
    package var renewTime: String?
    /// How often it has changed hands.
    package var transitions: Int
    package var annotations: [String: String]

    /// By which a write is only taken while the Lease is as it was read.
    package struct Version: Hashable, Sendable {
        package var uid: String
        package var resourceVersion: String

        package init(uid: String, resourceVersion: String) {
            self.uid = uid
            self.resourceVersion = resourceVersion
        }
    }

    package init(json: JSON) throws(KubernetesError) {
        guard let metadata = json["metadata"], let uid = metadata["uid"]?.string,
            let version = metadata["resourceVersion"]?.string
        else { throw .unreadable("a Lease was asked for, and what came is none") }
        self.version = Version(uid: uid, resourceVersion: version)
        let spec = json["spec"]
        holder = spec?["holderIdentity"]?.string ?? ""
        durationSeconds = spec?["leaseDurationSeconds"]?.int
        renewTime = spec?["renewTime"]?.string
        transitions = spec?["leaseTransitions"]?.int ?? 0
        annotations = [:]
        if case .object(let members) = metadata["annotations"] {
            for member in members { annotations[member.name] = member.value.string }
        }
    }
}

/// What is to be written into a Lease; what is not named stays as it is.
package struct LeaseWrite: Hashable, Sendable {
    /// What is written over; nil to make it.
    package var replacing: Lease.Version?
    /// Empty to release it.
    package var holder: String
    package var durationSeconds: Int
    package var transitions: Int
    package var annotations: [String: String]
    /// Wall clock in milliseconds, for people: the time of the renewal.
    package var renewedAt: Int64
    /// Whether it is also the time of acquiring.
    package var isAcquired: Bool

    package init(
        replacing: Lease.Version?, holder: String, durationSeconds: Int, transitions: Int,
        annotations: [String: String], renewedAt: Int64, isAcquired: Bool
    ) {
        self.replacing = replacing
        self.holder = holder
        self.durationSeconds = durationSeconds
        self.transitions = transitions
        self.annotations = annotations
        self.renewedAt = renewedAt
        self.isAcquired = isAcquired
    }

    /// The whole Lease, or a patch of it; `metadata` names it, or guards the patch.
    fileprivate func body(_ metadata: [JSON.Member]) -> JSON {
        let time = JSON.string(timestamp(milliseconds: renewedAt, fraction: .microseconds))
        let marks = annotations.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        var spec: [JSON.Member] = [
            .init("holderIdentity", .string(holder)), .init("leaseDurationSeconds", .int(durationSeconds)),
            .init("leaseTransitions", .int(transitions)), .init("renewTime", time),
        ]
        if isAcquired { spec.append(.init("acquireTime", time)) }
        return .object([
            .init("apiVersion", .string("coordination.k8s.io/v1")), .init("kind", .string("Lease")),
            .init("metadata", .object(metadata + [.init("annotations", .object(marks))])),
            .init("spec", .object(spec)),
        ])
    }
}

extension KubernetesClient {
    /// A Lease as it is now; nil when the server says that there is none.
    package func lease(
        namespace: String, name: String, limits: CallLimits
    ) async throws(KubernetesError) -> Lease? {
        do throws(KubernetesError) {
            return try Lease(json: await get(.lease, namespace: namespace, name: name, limits: limits))
        } catch {
            guard case .status(let status) = error, status.provesAbsence(of: name, kind: .lease) else { throw error }
            return nil
        }
    }

    /// Makes a Lease, or writes it over if it is still as it was read; returns it as it then is.
    ///
    /// If another was faster the error is a conflict, or that it exists.
    package func write(
        _ write: LeaseWrite, namespace: String, name: String, limits: CallLimits
    ) async throws(KubernetesError) -> Lease {
        guard let version = write.replacing else {
            let body = write.body([.init("name", .string(name)), .init("namespace", .string(namespace))])
            return try Lease(json: await create(.lease, namespace: namespace, body: body, limits: limits))
        }
        let body = write.body([
            .init("uid", .string(version.uid)), .init("resourceVersion", .string(version.resourceVersion)),
        ])
        return try Lease(
            json: await patch(.lease, namespace: namespace, name: name, subresource: nil, body: body, limits: limits))
    }
}
