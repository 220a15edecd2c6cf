import BusinessPolicy

/// Asks of each resource, and of all of them together, what the operator asks.
struct Judge {
    private(set) var findings: [Finding] = []
    private var resources: [(manifest: Manifest, resource: VelocloudBP)] = []
    private var limits: [(manifest: Manifest, limit: VelocloudLimit)] = []
    private var known: [Identity: Manifest] = [:]

    /// What there can be but one of.
    private struct Identity: Hashable {
        var kind: Manifest.Kind
        var namespace: String
        var name: String
    }

    // MARK: One by one

    /// What can be said of a resource by itself.
    mutating func look(at manifest: Manifest) {
        findings += manifest.shapeFindings()
        let isComparable = manifest.isNamed && isFirst(manifest)
        do throws(MalformedResource) {
            switch manifest.kind {
            case .velocloudBP:
                let resource = try VelocloudBP(json: manifest.json)
                look(at: resource.spec, of: manifest)
                if isComparable { resources.append((manifest, resource)) }
            case .velocloudLimit:
                let limit = try VelocloudLimit(json: manifest.json)
                // Unknown members were told with what was probably meant.
                for fault in limit.spec.faults where ([""] + VelocloudLimit.specMembers).contains(fault.field) {
                    findings.append(manifest.finding(.invalidSpec, spec: fault.field, fault.message))
                }
                if isComparable { limits.append((manifest, limit)) }
            }
        } catch {
            findings.append(manifest.finding(.invalidMetadata, ["metadata"], error.problem))
        }
    }

    private mutating func isFirst(_ manifest: Manifest) -> Bool {
        let identity = Identity(kind: manifest.kind, namespace: manifest.namespace, name: manifest.name)
        guard let first = known[identity] else {
            known[identity] = manifest
            return true
        }
        findings.append(
            manifest.finding(
                .duplicateResource, ["metadata", "name"],
                "\(first.label) has the same name, and only one of them can be; take one out or rename it"))
        return false
    }

    private mutating func look(at spec: Result<VelocloudBP.Spec, VelocloudBP.InvalidSpec>, of manifest: Manifest) {
        switch spec {
        case .failure(let invalid):
            for fault in invalid.faults {
                findings.append(manifest.finding(.invalidSpec, spec: fault.field, fault.message))
            }
        case .success(let spec):
            for remark in spec.remarks {
                findings.append(manifest.finding(.warning, spec: remark.field, remark.message))
            }
        }
    }

    // MARK: All together

    /// What can only be said once all resources are known: limits, quotas, names.
    mutating func compare() {
        let limitsByNamespace = Dictionary(grouping: limits.map(\.limit), by: \.owner.namespace)
        for (manifest, limit) in limits {
            let others = (limitsByNamespace[limit.owner.namespace] ?? []).filter { $0.owner != limit.owner }
            let validity = LimitValidity(of: limit, beside: others)
            for contradiction in validity.contradictions {
                findings.append(manifest.finding(.contradiction, spec: contradiction.field, contradiction.message))
            }
            if let warning = validity.warning {
                findings.append(manifest.finding(.warning, spec: warning.field, warning.message))
            }
        }
        let barred = noteViolations(limitsByNamespace)
        noteConflicts(barred: barred)
    }

    /// The uids of those outside their limits.
    private mutating func noteViolations(_ limits: [String: [VelocloudLimit]]) -> Set<String> {
        var barred: Set<String> = []
        let applicants = Dictionary(grouping: resources.map(\.resource), by: \.owner.namespace).mapValues { resources in
            resources.map { resource in
                Applicant(
                    owner: resource.owner, createdAt: resource.createdAt,
                    ask: (try? resource.spec.get()).map(Ask.init), rule: nil, hasRule: false)
            }
        }
        let judgements = applicants.map { namespace, applicants in
            (namespace, LimitJudgement(of: applicants, by: limits[namespace] ?? []))
        }
        let violations = Dictionary(uniqueKeysWithValues: judgements)
        for (manifest, resource) in resources {
            let broken = violations[resource.owner.namespace]?.violations[resource.owner.uid] ?? []
            for violation in broken {
                findings.append(manifest.finding(.outOfLimits, spec: violation.field, violation.message))
            }
            if !broken.isEmpty { barred.insert(resource.owner.uid) }
            if limits[resource.owner.namespace] == nil { noteUnlimited(manifest, Array(limits.keys)) }
        }
        return barred
    }

    /// A resource that names no namespace may be judged in the wrong one, and so by no limit at all.
    private mutating func noteUnlimited(_ manifest: Manifest, _ limited: [String]) {
        guard !limited.isEmpty, !manifest.hasOwnNamespace else { return }
        findings.append(
            manifest.finding(
                .warning, ["metadata"],
                "it names no namespace, and namespace \"\(manifest.namespace)\" has no VelocloudLimit (there are some "
                    + "in \(limited.sorted().joined(separator: ", "))); name its namespace with -n"))
    }

    private mutating func noteConflicts(barred: Set<String>) {
        var wanted: [String: [DesiredRule]] = [:]
        var told: [String: (manifest: Manifest, ruleName: String)] = [:]
        for (manifest, resource) in resources where !barred.contains(resource.owner.uid) && !resource.isPaused {
            guard case .success(let spec) = resource.spec else { continue }
            told[resource.owner.uid] = (manifest, spec.name)
            wanted[spec.profile, default: []].append(
                DesiredRule(
                    owner: resource.owner, segment: spec.segment, name: spec.name, order: spec.order,
                    createdAt: resource.createdAt, want: .rule(spec.settings, adoption: .never)))
        }
        for refusal in wanted.sorted(by: { $0.key < $1.key }).flatMap({ claims($0.value, recorded: []) }) {
            guard case .nameConflict(let holder) = refusal.cause, let (manifest, name) = told[refusal.owner.uid],
                let (other, _) = told[holder.uid]
            else { continue }
            findings.append(
                manifest.finding(
                    .nameConflict, spec: VelocloudBP.SpecMember.name.rawValue,
                    "the rule name \(JSON.string(name).shown) is held by \(other.label), which comes first on this "
                        + "profile and segment; choose another spec.name"))
        }
    }
}
