import Glibc
import Testing

/// The operator has the rights that it needs, and no other: with each of them taken away it says which one is missing
/// and what to do, and goes on as far as it can.
@Suite(.serialized) struct LeastPrivilegeTests {
    private static let restarts = Right(verb: "get", resource: "velocloudbps")
    /// Installations at once.
    private static let width = 3

    /// With exactly the rights of the manifests nothing is refused, whatever there is to do.
    @Test(arguments: InstalledOperator.Scope.allCases)
    func rightsSuffice(_ scope: InstalledOperator.Scope) async throws {
        let place = try await InstalledOperator(scope, namespace: "rights-\(scope)")
        try await place.install()
        let first = try place.start()
        try await correctTwice(first, place)
        first.signal(SIGTERM)
        #expect(try await first.ends() == 0)
        try await place.removeResource()
        let second = try place.start()
        try await second.says("Rule deleted")
        #expect(try await place.ask(second, "/readyz").status == 200)
        second.signal(SIGTERM)
        #expect(try await second.ends() == 0)
        #expect((first.lines + second.lines).filter { $0.contains("403 Forbidden") } == [])
        #expect(place.refusals == [])
    }

    /// Each right is needed: without it a line of the log names it and says what to do; the process is alive, and ends
    /// when it is asked to.
    @Test(arguments: InstalledOperator.Scope.allCases)
    func eachRightIsNeeded(_ scope: InstalledOperator.Scope) async throws {
        let rights = try await InstalledOperator(scope, namespace: "rights-of-\(scope)").rights()
        #expect(rights.count >= 14, "\(rights)")
        let sorted = rights.sorted { $0.description < $1.description }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, right) in sorted.enumerated() {
                if index >= Self.width { try await group.next() }
                group.addTask { try await lack(right, scope, "lacking-\(scope)-\(index)") }
            }
            try await group.waitForAll()
        }
    }

    private func lack(_ right: Right, _ scope: InstalledOperator.Scope, _ namespace: String) async throws {
        let place = try await InstalledOperator(scope, namespace: namespace)
        var missing: Set = [right]
        // Where the API server lists over a watch, lists are for when that fails.
        if right.verb == "list" { missing.insert(Right(verb: "watch", resource: right.resource)) }
        try await place.install(without: missing)
        var program = try place.start()
        if right.resource == "events" { try await correctTwice(program, place) }
        if right == Self.restarts {
            try await program.says("Status changed")
            program.signal(SIGTERM)
            #expect(try await program.ends() == 0)
            try await place.removeResource()
            program = try place.start()
        }
        let line = try await program.says(#"cannot \#(right.verb) resource \"\#(right.resource)\""#)
        let isOfCluster = scope == .cluster && ["list", "watch"].contains(right.verb)
        for words in [
            "403 Forbidden", "system:serviceaccount:\(namespace):velokube",
            isOfCluster ? "at the cluster scope" : "in the namespace", "apply velokube's manifests or chart again",
        ] {
            #expect(line.contains(words), "\(right): \(line)")
        }
        #expect(line.contains(" warning ") || line.contains(" error "), "\(right): \(line)")
        #expect(try await place.ask(program, "/healthz").status == 200, "\(right)")
        program.signal(SIGTERM)
        #expect(try await program.ends(within: .seconds(30)) == 0, "\(right)")
        #expect(program.lines.count { $0.contains("may not write Events") } <= 1, "\(right) is told of once")
    }

    /// The same thing happens twice to the rule, so that its Event is written and then counted.
    private func correctTwice(_ program: ChildProgram, _ place: InstalledOperator) async throws {
        try await program.says("Status changed")
        for count in 1...2 {
            try await place.removeRule()
            try await program.says("Drift corrected", times: count)
        }
    }
}
