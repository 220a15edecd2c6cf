import BusinessPolicy
import ControlLoop
import Operator
import Simulation
import Testing

/// The controller on a real API server, with real kubectl; the VCO is simulated.
@Suite(.serialized) struct RealClusterTests {
    private func settings(_ cluster: RealCluster) -> World.Settings {
        World.Settings(kubeconfig: cluster.kubeconfig, namespace: cluster.namespace)
    }

    /// The life of a resource as kubectl shows it: made, changed, deleted, with its columns and its wait.
    @Test func lifeOfAResource() async throws {
        let cluster = try await RealCluster(namespace: "life")
        let world = try World()
        let foreign = world.names()
        try await world.run(settings(cluster)) {
            try await cluster.kubectl("create -f -", input: cluster.manifest(["web"]))
            try await world.until("web is ready") { try await cluster.readyCount() == 1 }
            #expect(world.names() == ["life.web"] + foreign)
            let wide = try await cluster.kubectl("get velo -n life -o wide")
            #expect(wide.contains("SERVICE CLASS") && wide.contains("transactional"))
            try await cluster.kubectl("wait -n life --for=condition=Ready velo/web --timeout=5s")

            try await cluster.kubectl("apply -f -", input: cluster.manifest(["web"], port: 443))
            try await world.until("the change is ready") {
                try await cluster.readyCount() == 1 && world.rule("life.web")?["match"]?["dport_low"]?.int == 443
            }
            try await cluster.kubectl("delete velo web -n life --timeout=30s")
            #expect(world.names() == foreign)
        }
    }

    /// A thousand resources that are there at the start cost four calls of the VCO, one of them a write, and two writes
    /// each of the API server; a restart with nothing to do costs none; and so does their deletion one write.
    @Test func thousandResources() async throws {
        let cluster = try await RealCluster(namespace: "thousand")
        let world = try World()
        let foreign = world.names()
        let names = (0..<1000).map { "app-\($0)" }
        try await cluster.kubectl("create -f - -o name", input: cluster.manifest(names))
        try await world.run(settings(cluster)) {
            try await world.until("all are on the VCO", within: .seconds(120)) { world.names().count >= 1000 }
            try await world.until("all are ready", within: .seconds(120)) {
                (world.metrics.snapshot.kubernetesWrites[.status] ?? 0) >= 1000
            }
            #expect(try await cluster.readyCount() == 1000)
        }
        #expect(world.vcoWrites == 1)
        #expect(world.callsTotal - world.versionReads <= 4, "\(world.calls)")
        let writes = world.metrics.snapshot.kubernetesWrites
        #expect(writes[.finalizer] == 1000 && writes[.status] == 1000, "\(writes)")

        world.clearCounts()
        try await world.run(settings(cluster)) {
            try await world.until("the VCO was asked") { world.calls["getConfigurationModules"] == 1 }
            try await world.settle()
            #expect(world.vcoWrites == 0)
            #expect(world.metrics.snapshot.kubernetesWrites == writes)
            try await cluster.kubectl("delete velo --all -n thousand --wait=false -o name")
            try await world.until("the rules are gone", within: .seconds(120)) { world.names() == foreign }
            try await world.until("the resources are gone", within: .seconds(120)) {
                try await cluster.kubectl("get velo -n thousand -o name").isEmpty
            }
        }
        let finalizers = world.metrics.snapshot.kubernetesWrites[.finalizer] ?? 0
        #expect(finalizers == 2000, "one write each to put it on, one to let it go")
    }

    /// Resources created as fast as the server takes them share writes, which start half a second apart.
    @Test func thousandInAStream() async throws {
        let cluster = try await RealCluster(namespace: "stream")
        let world = try World()
        try await world.run(settings(cluster)) {
            let start = world.clock.now
            let names = (0..<1000).map { "app-\($0)" }
            try await cluster.kubectl("create -f - -o name", input: cluster.manifest(names))
            try await world.until("all are on the VCO", within: .seconds(120)) { world.names().count >= 1000 }
            try await world.until("all are ready", within: .seconds(120)) {
                (world.metrics.snapshot.kubernetesWrites[.status] ?? 0) >= 1000
            }
            let took = world.clock.now.since(start)
            let halfSeconds = Int(took / .milliseconds(500)) + 1
            #expect(world.vcoWrites <= halfSeconds, "\(world.vcoWrites) writes in \(took)")
            #expect(world.callsTotal - world.versionReads <= 3 * world.vcoWrites + 1, "\(world.calls)")
            let writes = world.metrics.snapshot.kubernetesWrites
            #expect((writes[.finalizer] ?? 0) + (writes[.status] ?? 0) <= 2000, "\(writes)")
        }
    }

    /// What a developer cannot have is said by the condition's reason and message, as kubectl shows them.
    @Test func unknownProfileIsSaid() async throws {
        let cluster = try await RealCluster(namespace: "unknown")
        let world = try World()
        try await world.run(settings(cluster)) {
            let manifest = cluster.manifest(["web"]).replacing(World.profile, with: "No Such Profile")
            try await cluster.kubectl("create -f -", input: manifest)
            try await world.until("the reason is shown") {
                try await cluster.kubectl("get velo web -n unknown").contains("ProfileNotFound")
            }
            #expect(try await cluster.kubectl("get velo web -n unknown -o wide").contains("Quick Start Profile"))
            #expect(try await cluster.kubectl("get events -n unknown").contains("ProfileNotFound"))
            try await cluster.kubectl("delete velo web -n unknown --timeout=30s")
        }
    }
}
