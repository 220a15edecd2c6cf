// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // A pass over a profile must be quick even in a debug build: past 200 ms it has to ask the VCO once more.
    .unsafeFlags(["-O"], .when(configuration: .debug)),
]

/// The arrows of the architecture are the dependencies below: a target sees what it lists and nothing else.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "velokube",
    products: [
        .executable(name: "velokube", targets: ["velokube"]),
        .executable(name: "velokube-sim", targets: ["velokube-sim"]),
    ],
    dependencies: [
        // Exact versions, because Package.resolved is not kept: a build of one commit is the same build everywhere.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        library("BusinessPolicy"),
        library("ControlLoop"),
        library("HTTPTransport", ["CCurl"]),
        library("YAML", ["CYAML", "BusinessPolicy"]),
        library("Kubernetes", ["HTTPTransport", "YAML", "BusinessPolicy"]),
        library("Orchestrator", ["HTTPTransport", "BusinessPolicy"]),
        library("Ledger", ["CSQLite", "BusinessPolicy"]),
        library("Validation", ["YAML", "BusinessPolicy"]),
        library(
            "Operator",
            [
                "BusinessPolicy", "ControlLoop", "HTTPTransport", "Kubernetes", "Orchestrator", "Ledger", "CMalloc",
                hummingbird, lifecycle, signals, logging,
            ]
        ),
        library(
            "Simulation", ["BusinessPolicy", "HTTPTransport"], resources: [.embedInCode("Fixtures")]),
        program("velokube", ["Operator", "Validation", "BusinessPolicy", argumentParser]),
        // Measures the others; no product, so that it is never shipped.
        program(
            "velokube-bench",
            [
                "Operator", "Kubernetes", "Ledger", "HTTPTransport", "BusinessPolicy", "ControlLoop", argumentParser,
                logging,
            ]
        ),
        program("velokube-sim", ["Simulation", "HTTPTransport", argumentParser, hummingbird]),

        tests("BusinessPolicyTests", ["BusinessPolicy", "ControlLoop"]),
        tests("ControlLoopTests", ["ControlLoop"]),
        tests("ClientTests", ["HTTPTransport", "Kubernetes", "Orchestrator", "BusinessPolicy", "ControlLoop"]),
        tests("LedgerTests", ["Ledger", "BusinessPolicy"]),
        tests("ValidationTests", ["Validation", "YAML", "BusinessPolicy", "velokube"]),
        tests(
            "OperatorTests",
            [
                "Operator", "Simulation", "BusinessPolicy", "ControlLoop", "HTTPTransport", "Kubernetes",
                "Orchestrator", "Ledger", "velokube", logging,
            ]),
        tests(
            "SimulationTests",
            [
                "Operator", "Simulation", "BusinessPolicy", "ControlLoop", "HTTPTransport", "Kubernetes",
                "Orchestrator", "Ledger", "velokube-sim", logging,
            ]),
    ]
)
