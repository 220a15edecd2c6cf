import BusinessPolicy
import ControlLoop
import Kubernetes
import Logging

/// What the limits of namespaces have to say in a pass.
extension Reconciler {
    /// Where a resource stands, its namespace's limits included.
    func stance(of resource: VelocloudBP, quarantine: Quarantine?, _ pass: inout Pass) -> Stance {
        if let uninstall = policy.uninstall { return .leaving(isOrphaning: uninstall.leavesRules) }
        let judgement = judgement(on: resource.owner.namespace, &pass)
        return Stance(
            of: resource, violations: judgement?.violations[resource.uid] ?? [], quarantine: quarantine,
            allowed: policy.allowed)
    }

    /// Judges a namespace once in a pass; nil for one without limits.
    private func judgement(on namespace: String, _ pass: inout Pass) -> LimitJudgement? {
        if let known = pass.judgements[namespace] { return known }
        let limits = cache.limits(in: namespace)
        guard !limits.isEmpty else { return nil }
        let judgement = LimitJudgement(
            of: cache.resources(in: namespace).compactMap { $0.applicant(recorded: pass.firstRecord[$0.uid]) },
            by: limits)
        pass.judgements[namespace] = judgement
        return judgement
    }

    /// Leaves alone who has no rule yet in a namespace that is being deleted: its limits may have gone first.
    func turnAwayNewcomers(_ pass: inout Pass) async {
        guard !policy.isDryRun else { return }
        let newcomers = pass.subjects.indices.filter { index in
            guard case .wants = pass.subjects[index].stance else { return false }
            return !pass.hasRule(pass.subjects[index].resource)
        }
        let namespaces = Set(newcomers.map { pass.subjects[$0].resource.owner.namespace })
        let ends = await cluster.ends(of: namespaces.sorted())
        for index in newcomers {
            guard case .wants(let spec) = pass.subjects[index].stance,
                let end = ends[pass.subjects[index].resource.owner.namespace]
            else { continue }
            switch end {
            case .stays: break
            case .terminating:
                pass.subjects[index].stance = .waits(
                    spec, .pending, message: "The namespace is being deleted: no new rule is made for it.")
            case .unknown:
                pass.skip(index)
                pass.lookAgain(at: time.now() + Self.failureDelay)
            }
        }
    }

    static let limitExceeded = "LimitExceeded"

    /// Tells those who set the limits, too: an Event on each limit that the resource breaks.
    func noteViolations(by resource: VelocloudBP, _ pass: inout Pass) {
        let violations = pass.judgements[resource.owner.namespace]?.violations[resource.uid] ?? []
        let limits = cache.limits(in: resource.owner.namespace)
        for violation in violations {
            guard let limit = limits.first(where: { $0.owner.name == violation.limit }) else { continue }
            pass.events.append(
                Pass.Happening(
                    owner: limit.owner, kind: "VelocloudLimit", isWarning: true, reason: Self.limitExceeded,
                    message: "VelocloudBP \"\(resource.owner.name)\": \(violation.message)"))
        }
    }
}

extension VelocloudBP {
    /// The resource as the limits of its namespace look at it; nil while it is being deleted, which asks for nothing.
    func applicant(recorded rule: OwnedRule?) -> Applicant? {
        guard deletedAt == nil else { return nil }
        return Applicant(
            owner: owner, createdAt: createdAt, ask: (try? spec.get()).map(Ask.init), rule: rule?.ask,
            hasRule: rule != nil || status.rule != nil, isHeld: isPaused)
    }
}

extension OwnedRule {
    /// What was asked for when it was written; nil when only its place is known.
    fileprivate var ask: Ask? {
        wanted.map {
            // As resources name that segment, whatever the VCO calls it.
            let segment = place.segmentID == 0 ? DesiredRule.globalSegment : segmentName
            return Ask(profile: profileName, segment: segment, order: order, settings: $0)
        }
    }
}

extension Pass.Subject {
    /// Outside the limits of its namespace, and not to have a rule.
    var isBarred: Bool {
        if case .barred = stance { true } else { false }
    }
}
