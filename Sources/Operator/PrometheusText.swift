import ControlLoop

/// Builds the Prometheus text exposition format, version 0.0.4.
struct PrometheusText {
    /// Label names and values; rendered sorted by name.
    typealias Labels = [String: String]

    private(set) var content = ""

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        counter(name, help, [([:], value)])
    }

    mutating func counter(_ name: String, _ help: String, _ samples: [(Labels, Int)]) {
        head(name, help, "counter")
        for (labels, value) in samples { sample(name, labels, String(value)) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        gauge(name, help, [([:], Double(value))])
    }

    mutating func gauge(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
        head(name, help, "gauge")
        for (labels, value) in samples { sample(name, labels, Self.number(value)) }
    }

    mutating func histogram(_ name: String, _ help: String, _ samples: [(Labels, DurationHistogram)]) {
        head(name, help, "histogram")
        for (labels, histogram) in samples {
            var count = 0
            for (bound, inBucket) in zip(histogram.bounds, histogram.counts) {
                count += inBucket
                sample(name + "_bucket", labels, le: Self.number(bound.inSeconds), String(count))
            }
            sample(name + "_bucket", labels, le: "+Inf", String(histogram.count))
            sample(name + "_sum", labels, Self.number(histogram.sum.inSeconds))
            sample(name + "_count", labels, String(histogram.count))
        }
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        content += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
    }

    /// `le` goes last, as everywhere.
    private mutating func sample(_ name: String, _ labels: Labels, le bound: String? = nil, _ value: String) {
        var pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        content += name + (pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}") + " " + value + "\n"
    }

    /// Whole numbers without a fraction, as other exporters write them.
    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension Duration {
    /// For metrics, which are in seconds.
    var inSeconds: Double {
        Double(nanoseconds) / 1_000_000_000
    }
}
