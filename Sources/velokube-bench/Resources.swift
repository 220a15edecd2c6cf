import BusinessPolicy

/// The resources that the measurements are made on: as kubectl makes them and the operator leaves them.
enum Resources {
    static let namespace = "default"
    private static let profiles = 20

    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "shop-frontend-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    static func profile(_ number: Int) -> String { "Retail Branches \(number % profiles)" }

    private static func spec(_ number: Int, profile: String) -> JSON {
        [
            "profile": .string(profile), "fqdn": .string("\(name(number)).apps.example.com"), "dport": 8080,
            "service-class": "realtime", "priority": "high", "bandwidth-limit": 40, "link-policy": "fixed",
            "service-group": "PUBLIC_WIRED",
        ]
    }

    /// The status of a resource whose rule is on the VCO.
    private static func status(_ number: Int, profile: String) -> JSON {
        let reference = Status.RuleReference(
            profile: profile, segment: DesiredRule.globalSegment, name: "\(namespace).\(name(number))",
            moduleVersion: "1700000000000")
        let verdict = Verdict(acceptance: .accepted(warnings: []), programming: .programmed(reference))
        return Status().updated(
            by: verdict, generation: 1, handledReconcileAt: nil, now: "2026-01-02T03:04:05Z"
        ).json
    }

    /// The resource as etcd holds it, managed fields included; handled ones have their finalizer and their status.
    static func object(_ number: Int, profile: String, isHandled: Bool) -> JSON {
        let spec = spec(number, profile: profile)
        var digits = String(number)
        digits = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
        var metadata: JSON = [
            "annotations": ["kubectl.kubernetes.io/last-applied-configuration": .string(spec.serializedText())],
            "creationTimestamp": "2026-01-02T03:04:05Z", "generation": 1, "name": .string(name(number)),
            "namespace": .string(namespace), "uid": .string("6f2f0c1e-8f3b-4c59-9d5e-\(digits)"),
        ]
        var object: JSON = ["apiVersion": "vcn.cloud/v1", "kind": "VelocloudBP", "spec": spec]
        var managers = [managedFields("kubectl-client-side-apply", "f:spec", of: spec)]
        if isHandled {
            let status = status(number, profile: profile)
            metadata["finalizers"] = [.string(VelocloudBP.finalizer)]
            object["status"] = status
            managers.append(managedFields("velokube", "f:status", of: status))
        }
        metadata["managedFields"] = .array(managers)
        object["metadata"] = metadata
        return object
    }

    /// The line of a watch that tells of one resource.
    static func event(_ number: Int) -> [UInt8] {
        var object = object(number, profile: profile(number), isHandled: true)
        object["metadata"]?["resourceVersion"] = .string(String(1_000_000 + number))
        return (["type": "MODIFIED", "object": object] as JSON).serialized()
    }

    private static func managedFields(_ manager: String, _ part: String, of value: JSON) -> JSON {
        [
            "manager": .string(manager), "operation": "Update", "apiVersion": "vcn.cloud/v1",
            "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1",
            "fieldsV1": .object([.init(part, .object((value.members ?? []).map { .init("f:\($0.name)", [:]) }))]),
        ]
    }
}
