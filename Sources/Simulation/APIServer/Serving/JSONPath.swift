import enum BusinessPolicy.JSON

/// The JSONPath that printer columns use: members, indexes, `[*]`, and `[?(@.member=="text")]`.
struct JSONPath: Sendable {
    private var steps: [Step] = []

    private enum Step: Sendable {
        case member(String)
        case index(Int)
        case every
        /// Elements of which this member has this text.
        case matching([String], String)
    }

    /// What it does not understand leads nowhere.
    init(_ text: String) {
        var rest = Substring(text)
        while let mark = rest.popFirst() {
            if mark == "." {
                var name = ""
                while let next = rest.first, next != ".", next != "[" {
                    rest.removeFirst()
                    name.append(next == "\\" ? rest.popFirst() ?? next : next)
                }
                steps.append(name == "*" ? .every : .member(name))
            } else if mark == "[" {
                let inside = rest.prefix { $0 != "]" }
                rest = rest.dropFirst(inside.count + 1)
                steps.append(Self.step(inside))
            } else {
                steps.append(.member(String(mark) + rest))
                rest = ""
            }
        }
    }

    private static func step(_ inside: Substring) -> Step {
        if inside == "*" { return .every }
        if let index = Int(inside) { return .index(index) }
        let quotes: Set<Character> = ["'", "\""]
        guard inside.hasPrefix("?(@."), let equals = inside.firstRange(of: "==") else {
            return .member(String(inside.filter { !quotes.contains($0) }))
        }
        let path = inside[inside.index(inside.startIndex, offsetBy: 4)..<equals.lowerBound]
        let text = inside[equals.upperBound...].filter { !quotes.contains($0) && $0 != ")" }
        return .matching(path.split(separator: ".").map { $0.filter { $0 != " " } }, text.trimmingBlanks)
    }

    /// The first value that it leads to; nil for none.
    @Sendable func first(_ json: JSON) -> JSON? {
        values(json).first
    }

    /// Every value that it leads to.
    func values(_ json: JSON) -> [JSON] {
        steps.reduce([json]) { values, step in
            values.flatMap { value -> [JSON] in
                switch step {
                case .member(let name): return value[name].map { [$0] } ?? []
                case .index(let index): return value[index].map { [$0] } ?? []
                case .every: return value.array ?? value.members?.map(\.value) ?? []
                case .matching(let path, let text):
                    return value.array?.filter { $0.value(at: path)?.string == text } ?? []
                }
            }
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
