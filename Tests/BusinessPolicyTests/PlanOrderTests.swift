import BusinessPolicy
import Testing

/// Where rules stand: first match wins on the VCO, so order is meaning.
@Suite struct PlanOrderTests {
    // The first rule of ours goes to the top, or to the end where that is asked for; several go in their order.
    @Test func firstRulesGoWherePlacementSays() throws {
        var world = PlanWorld()
        world.put(PlanWorld.foreign("x"), PlanWorld.foreign("y"))
        world.want("b")
        world.want("a", order: 2000)
        world.want("c")
        #expect(try world.names(after: world.plan()) == ["b", "c", "a", "x", "y"])
        world.placement = .bottom
        #expect(try world.names(after: world.plan()) == ["x", "y", "b", "c", "a"])
    }

    // A new rule goes right after its predecessor, or right before its successor; foreign rules stay between.
    @Test func newRulesGoNextToTheirNeighbours() throws {
        var world = PlanWorld()
        world.put(PlanWorld.foreign("x"))
        world.own("c", order: 30)
        world.put(PlanWorld.foreign("y"))
        world.own("e", order: 50)
        world.put(PlanWorld.foreign("z"))
        for (name, order) in [("a", 10), ("b", 20), ("d", 40), ("d2", 40), ("f", 60)] {
            world.want(name, order: order)
        }
        let plan = try world.plan()
        #expect(try world.names(after: plan) == ["x", "a", "b", "c", "d", "d2", "y", "e", "f", "z"])
        #expect(plan.changes.allSatisfy { $0.kind == .create })
    }

    // Order is by number, then namespace, then the resource's name; not by the rule's.
    @Test func orderIsOfResources() throws {
        var world = PlanWorld()
        world.want("b", name: "1")
        world.want("a", name: "2")
        world.want("z", name: "3", order: 0)
        world.desired[0].owner.namespace = "aa"
        #expect(try world.names(after: world.plan()) == ["3", "1", "2"])
    }

    // Rules out of order are put in order among the positions that ours have; foreign ones stay where they are.
    @Test func disturbedOrderIsHealed() throws {
        var world = PlanWorld()
        for (name, order) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
            world.want(name, order: order)
            world.record(name, order: order)
        }
        world.put(
            PlanWorld.rule("a"), PlanWorld.foreign("x"), PlanWorld.rule("c"), PlanWorld.foreign("y"),
            PlanWorld.rule("b"), PlanWorld.rule("d"))
        let plan = try world.plan()
        #expect(plan.steps == ["move b", "move c"] && plan.changes.allSatisfy { $0.intent == nil })
        #expect(plan.layouts[0] == [.kept(0), .kept(1), .kept(4), .kept(3), .kept(2), .kept(5)])
        let (after, document) = try world.after(plan)
        #expect(try after.plan(on: document) == Plan() && after.recorded.count == 4)
    }

    // A new order moves the rule and is recorded; a rule that is rewritten and moved is told once.
    @Test func changedOrderMoves() throws {
        var world = PlanWorld()
        world.own("a", order: 10)
        world.own("b", order: 20)
        world.desired[0].order = 30
        let plan = try world.plan()
        #expect(plan.steps == ["move a", "move b"] && plan.change("a")?.record?.order == 30)
        #expect(try world.names(after: plan) == ["b", "a"])
        world.desired[0].want = .rule(PlanWorld.other, adoption: .satisfying)
        #expect(try world.plan().steps == ["update a", "move b"])
        world.desired[0].order = 11
        #expect(try world.plan().steps == ["update a"])
    }

    // Held rules stand where they stand; others are ordered round them, and new ones take them as neighbours if they
    // have none of their own.
    @Test func heldRulesDoNotMove() throws {
        var world = PlanWorld()
        world.own("c", order: 30)
        world.hold("b")
        world.record("b", order: 20)
        world.put(PlanWorld.rule("b"), PlanWorld.foreign("x"))
        world.own("a", order: 10)
        #expect(try world.names(after: world.plan()) == ["a", "b", "x", "c"])

        var alone = PlanWorld()
        alone.hold("b")
        alone.record("b", order: 20)
        alone.put(PlanWorld.foreign("x"), PlanWorld.rule("b"), PlanWorld.foreign("y"))
        alone.want("c", order: 30)
        #expect(try alone.names(after: alone.plan()) == ["x", "b", "c", "y"])
        alone.desired.removeLast()
        alone.want("a", order: 10)
        alone.want("c", order: 30)
        #expect(try alone.names(after: alone.plan()) == ["x", "a", "c", "b", "y"])
    }

    // A rule that is taken over stays where it was found among those of its order, and ours are sorted around it; of
    // another order, it is moved like any other.
    @Test func foundRulesKeepTheirPlace() throws {
        var world = PlanWorld()
        for name in ["d", "b", "c", "a"] {
            world.put(PlanWorld.rule(name))
            world.want(name)
        }
        let adopt = try world.plan()
        #expect(adopt.steps == ["adopt a", "adopt b", "adopt c", "adopt d"] && !adopt.needsWrite)
        (world, _) = try world.after(adopt)
        for name in ["a", "d"] {
            world.desired.removeAll { $0.name == name }
            world.want(name, settings: PlanWorld.other)
        }
        let update = try world.plan()
        #expect(update.steps == ["update a", "update d"])
        #expect(try world.names(after: update) == ["d", "b", "c", "a"])
        (world, _) = try world.after(update)
        for name in ["e", "bb"] { world.want(name) }
        world.want("first", order: 10)
        world.want("last", order: 2000)
        world.desired[world.desired.firstIndex { $0.name == "c" }!].order = 20
        let plan = try world.plan()
        #expect(try world.names(after: plan) == ["first", "c", "d", "b", "a", "bb", "e", "last"])
        let (after, document) = try world.after(plan)
        #expect(try after.plan(on: document) == Plan())
    }

    // Deleted rules leave their place; the rest of the segment does not stir, and other segments are not rewritten.
    @Test func deletionDisturbsNothing() throws {
        var world = PlanWorld()
        world.put(PlanWorld.foreign("x"))
        world.record("a")
        world.put(PlanWorld.rule("a"), PlanWorld.foreign("y"))
        world.own("b")
        world.put(PlanWorld.foreign("v"), segment: 3)
        let plan = try world.plan()
        #expect(plan.layouts == [0: [.kept(0), .kept(2), .kept(3)]] && plan.steps == ["delete a"])
    }

    // Planning is near linear: three thousand rules, all of them out of order, some to be made and some to go.
    @Test func manyRulesArePlanned() throws {
        var world = PlanWorld()
        for index in 0..<3_000 {
            let name = "rule \(index)"
            if index % 10 != 0 { world.want(name, order: 10_000 - index) }
            if index % 10 != 1 {
                world.record(name, order: 10_000 - index)
                world.put(["name": .string(name)])
            }
        }
        let document = try world.document
        let rules = document.segments[0].rules.count
        let plan = try world.plan(on: document)
        #expect(plan.changes.count == 3_000 && plan.layouts[0]?.count == rules)
        #expect(plan.changes.filter { $0.kind == .delete }.count == 300)
        #expect(settled(plan, readBack: document.applying(plan)).failed.isEmpty)
    }
}
