import BusinessPolicy
import Orchestrator

// What people read in conditions: what is wrong, and what they can do about it.

extension Owner {
    /// As people write it.
    var label: String { "\(namespace)/\(name)" }
}

extension Refusal.Cause {
    /// What it means for the resource.
    var result: Pass.Result {
        switch self {
        case .nameConflict(let holder):
            let what = "The rule name is held by VelocloudBP \(holder.label)"
            return .refused(.nameConflict, message: "\(what); choose another spec.name, or wait until it is free.")
        case .foreignRule(let place, _):
            // The rule is named, and its content is not: it is the WAN team's.
            let what = "The profile has a rule named \"\(place.name)\" that velokube did not create"
            let advice = "Choose another spec.name, or ask the WAN team to rename or remove that rule."
            return .refused(.foreignRule, message: "\(what). \(advice)")
        case .duplicateName(let count):
            let what = "\(count) rules of this name are on the orchestrator and none can be told to be velokube's"
            return .refused(.foreignRule, message: "\(what). Rename or remove the others in the portal.")
        case .segmentNotFound(let known):
            let names = known.map { "\"\($0)\"" }.joined(separator: ", ")
            let advice = "Correct spec.segment, or have the segment added to the profile."
            return .waiting(
                .segmentNotFound, message: "The profile has no segment of that name; it has \(names). \(advice)")
        }
    }
}

extension PolicyDocumentError {
    var waitReason: Verdict.WaitReason {
        switch self {
        case .networkBased: .segmentNotFound
        case .malformed: .unreachable
        }
    }

    func message(profile: String) -> String {
        switch self {
        case .networkBased:
            "The profile \"\(profile)\" is NETWORK_BASED and has no segments; "
                + "have it migrated to a segment-based profile, or name another."
        case .malformed(let problem):
            "The QOS module of profile \"\(profile)\" cannot be edited safely: \(problem)."
        }
    }
}

extension ProfileDirectory {
    /// What to do about a profile that is not there.
    func advice(for name: String) -> String {
        if let near = profiles.first(where: { $0.name.lowercased() == name.lowercased() }) {
            return
                "No profile \"\(name)\" on the orchestrator; did you mean \"\(near.name)\"? Upper and lower case count."
        }
        let names = profiles.prefix(Self.namesShown).map { "\"\($0.name)\"" }.joined(separator: ", ")
        let what = "No profile \"\(name)\" on the orchestrator, which has \(names.isEmpty ? "none" : names)"
        return "\(what). Correct spec.profile, or have the profile made."
    }

    private static let namesShown = 10
}

extension OrchestratorError {
    /// The reason of the `Programmed` condition, and what to tell its reader.
    var waitReason: (Verdict.WaitReason, String) {
        switch self {
        case .unreachable(let text):
            (.unreachable, "The orchestrator cannot be reached: \(text). velokube keeps trying.")
        case .unreadable(let text):
            (.unreachable, "The orchestrator's answer cannot be used: \(text). velokube keeps trying.")
        case .outcomeUnknown(let text):
            (.unreachable, "The reply to a write was lost: \(text). velokube reads the profile again.")
        case .rateLimited:
            (.rateLimited, "The orchestrator limits the rate of calls; velokube goes on in a few seconds.")
        case .authentication(let text), .permission(let text):
            (.authFailed, text)
        case .rejected(let message, let faults):
            // A refused document is dealt with where it is written; this was a question, and no resource is at fault.
            (
                .pending,
                "The orchestrator refuses velokube's calls: \(([message] + faults).joined(separator: "; ")). "
                    + "Check --vco-url and --enterprise-id; velokube tries again."
            )
        case .failed(let text):
            (.pending, "The orchestrator answered with an error: \(text). velokube tries again.")
        }
    }
}
