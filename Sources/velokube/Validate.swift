import ArgumentParser
import BusinessPolicy
import Glibc
import Validation

/// `velokube validate`: what the operator would say of files, without a cluster.
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check files with VelocloudBP and VelocloudLimit resources, without a cluster.",
        discussion: """
            Says what the operator would say once the files are applied: specs that make no sense, resources outside \
            the limits of their namespace, rule names wanted twice, limits that contradict each other. And what would \
            go unnoticed there: misspelt members, which the API server drops without a word, and resources defined \
            twice.

            Reads YAML and JSON as kubectl does, any number of documents in a file, and passes over resources of other \
            kinds. Of quotas, resources that come first in the files have first call. What only the VCO knows, such \
            as which profiles there are, is not looked at.

            EXAMPLES
              Check a folder against the limits that the infra team publishes:
                velokube validate -f deploy/ --limits ../limits/
              Check what kustomize makes:
                kustomize build overlays/preprod | velokube validate -n preprod -f -
              The findings for a program:
                velokube validate -f deploy/ -o json | jq '.findings[].message'

            EXIT CODES
              0 no findings but warnings, 1 findings, 2 bad usage or an unreadable path.
            """)

    @Option(
        name: [.customShort("f"), .customLong("filename")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "File or folder to check, with the folders in it; - is standard input. Can be repeated.",
            discussion: "Of folders, the .yaml, .yml and .json files that are not hidden.", valueName: "path"))
    var paths: [String]

    @Option(
        name: .customLong("limits"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "File or folder with further VelocloudLimits; those under -f count as well. Can be repeated.",
            valueName: "path"))
    var limitPaths: [String] = []

    @Option(
        name: [.customShort("n"), .customLong("namespace")],
        help: ArgumentHelp("The namespace of resources that name none.", valueName: "name"))
    var namespace = "default"

    @Option(name: [.customShort("o"), .customLong("output")], help: "What to print: text or json.")
    var output = OutputFormat.text

    enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    /// What makes the check worth nothing: exit code 2.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    func validate() throws {
        guard isNamespaceName(namespace) else {
            throw ValidationError("--namespace \"\(namespace)\" cannot be the name of a namespace.")
        }
    }

    func run() throws {
        let files = try ManifestFiles(manifests: paths, limits: limitPaths).files
        var validator = Validator(defaultNamespace: namespace)
        for file in files {
            if let content = try ManifestFiles.content(of: file) {
                validator.add(content, file: file.path, isLimitsOnly: file.isLimitsOnly)
            } else {
                validator.addTooLarge(file: file.path, bytesMax: ManifestFiles.bytesMax)
            }
        }
        let report = validator.finished()
        guard limitPaths.isEmpty || report.velocloudLimits > 0 else {
            throw Unusable(description: "there is no VelocloudLimit in \(limitPaths.joined(separator: ", "))")
        }
        let text = output == .text ? report.text : report.json.serializedText() + "\n"
        guard Velokube.write(text, to: STDOUT_FILENO) else {
            throw Unusable(description: "the findings cannot be written to standard output")
        }
        if report.isEmpty {
            Velokube.write(
                "velokube: no VelocloudBP and no VelocloudLimit is in \(paths.joined(separator: ", "))\n",
                to: STDERR_FILENO)
        }
        if report.hasErrors { throw ExitCode.failure }
    }
}
