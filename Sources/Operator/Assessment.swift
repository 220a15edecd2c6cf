import BusinessPolicy

/// What annotations of developers may do, because the WAN team lets them (`--allow`).
package enum Allowance: String, CaseIterable, Sendable {
    /// Take over a foreign rule of the resource's name: one that satisfies the spec, or with `vcn.cloud/adopt` any.
    case adopt
    /// `vcn.cloud/deletion-policy: Orphan`: leave the rule behind on deletion.
    case orphan
}

/// Where a resource stands before the VCO is looked at. Pure, so that the loop only carries it out.
enum Stance: Equatable {
    /// It gets a rule, unless another holds the name.
    case wants(VelocloudBP.Spec)
    /// Not accepted: whatever rule it has stays untouched.
    case held(Verdict.RefusalReason, message: String)
    /// Outside the limits of its namespace: it gets no rule, and one that it has goes.
    case barred(Verdict.RefusalReason, message: String)
    /// Accepted, but not acted on for the reason given: whatever rule it has stays untouched.
    case waits(VelocloudBP.Spec, Verdict.WaitReason, message: String)
    /// Being deleted: its rule goes, or stays behind where that is allowed and asked for.
    case leaving(isOrphaning: Bool)

    /// `violations` are of the limits of its namespace. They come before the resource's own wishes: a pause, or an edit
    /// that makes no sense, is no way round a limit.
    init(
        of resource: VelocloudBP, violations: [LimitViolation], quarantine: Quarantine?, allowed: Set<Allowance>
    ) {
        if resource.deletedAt != nil {
            self = .leaving(isOrphaning: resource.asksOrphaning && allowed.contains(.orphan))
            return
        }
        if let stance = Stance(outside: violations, resource) {
            self = stance
            return
        }
        switch resource.spec {
        case .failure(let invalid):
            self = .held(.invalidSpec, message: invalid.message)
        case .success(let spec):
            if resource.isPaused {
                self = .held(.paused, message: "Paused by the annotation vcn.cloud/paused; remove it to go on.")
            } else if let message = Self.rejection(of: resource, quarantine: quarantine) {
                self = .waits(spec, .rejectedByOrchestrator, message: message)
            } else {
                self = .wants(spec)
            }
        }
    }

    /// Nil for a resource within its limits, and for one that is held for a better reason anyway.
    private init?(outside violations: [LimitViolation], _ resource: VelocloudBP) {
        guard !violations.isEmpty else { return nil }
        let message = violations.map(\.message).joined(separator: "; ") + "."
        switch (resource.spec, violations.contains(where: \.removesRule)) {
        case (.success, true): self = .barred(.outOfLimits, message: message)
        case (.success, false): self = .held(.outOfLimits, message: message)
        case (.failure(let invalid), true):
            self = .barred(.invalidSpec, message: "\(invalid.message); its rule is taken out, since \(message)")
        case (.failure, false): return nil
        }
    }

    /// Why the VCO refused this generation, if it did: known from this run, or from the status of an earlier one.
    private static func rejection(of resource: VelocloudBP, quarantine: Quarantine?) -> String? {
        guard resource.reconcileRequestedAt == resource.status.lastHandledReconcileAt else { return nil }
        if let quarantine, quarantine.generation == resource.generation { return quarantine.message }
        guard let programmed = resource.status.condition(.programmed), !programmed.isTrue,
            programmed.reason == Verdict.WaitReason.rejectedByOrchestrator.rawValue,
            programmed.observedGeneration == resource.generation
        else { return nil }
        return programmed.message
    }

    /// What the plan is to know of the resource; nil when it wants nothing (any more).
    func desired(for resource: VelocloudBP, allowed: Set<Allowance>) -> DesiredRule? {
        switch self {
        case .wants(let spec):
            let isAllowed = allowed.contains(.adopt)
            let adoption: Adoption = !isAllowed ? .never : resource.asksAdoption ? .any : .satisfying
            return DesiredRule(
                owner: resource.owner, segment: spec.segment, name: spec.name, order: spec.order,
                createdAt: resource.createdAt, want: .rule(spec.settings, adoption: adoption))
        case .waits(let spec, _, _):
            return DesiredRule(
                owner: resource.owner, segment: spec.segment, name: spec.name, order: spec.order,
                createdAt: resource.createdAt, want: .hold)
        case .held:
            return .hold(for: resource.owner)
        case .barred, .leaving:
            return nil
        }
    }
}

/// A generation that the VCO refused, and what it said.
struct Quarantine: Equatable {
    var generation: Int
    var message: String
}

extension DesiredRule {
    /// Nothing is known or wanted but that the owner's rules stay as they are.
    static func hold(for owner: Owner) -> DesiredRule {
        DesiredRule(owner: owner, name: "", createdAt: "", want: .hold)
    }
}
