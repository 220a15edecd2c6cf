import BusinessPolicy

/// Says of the resources in files what the operator would say of them, without a cluster.
package struct Validator {
    private let defaultNamespace: String
    private var report = ValidationReport()
    private var manifests: [Manifest] = []
    /// The files in the order they came.
    private var files: [String] = []

    /// `defaultNamespace` is that of resources which name none.
    package init(defaultNamespace: String) {
        self.defaultNamespace = defaultNamespace
    }

    // MARK: Reading

    /// Takes in the content of one file: YAML or JSON, any number of documents. With `isLimitsOnly` nothing but its
    /// limits is looked at.
    package mutating func add(_ content: [UInt8], file: String, isLimitsOnly: Bool = false) {
        files.append(file)
        let (documents, faults) = TextDocuments.read(content)
        for fault in faults {
            report.findings.append(
                Finding(file: file, line: fault.line, reason: .invalidYAML, message: fault.problem))
        }
        for document in documents { add(document, file: file, isLimitsOnly: isLimitsOnly) }
    }

    /// Notes a file that is larger than any is read.
    package mutating func addTooLarge(file: String, bytesMax: Int) {
        files.append(file)
        report.findings.append(
            Finding(
                file: file, line: 1, reason: .fileTooLarge,
                message: "the file is larger than \(bytesMax >> 20) MiB and was not read; split it"))
    }

    /// `item` is what the elements of a list are when they do not say so themselves.
    private mutating func add(
        _ document: LinedJSON, file: String, isLimitsOnly: Bool, item: (apiVersion: String?, kind: String)? = nil
    ) {
        let apiVersion = document["apiVersion"]?.value.string ?? item?.apiVersion
        // Not every YAML file is of Kubernetes.
        guard let name = document["kind"]?.value.string ?? item?.kind ?? (Manifest.isOurs(apiVersion) ? "" : nil) else {
            return
        }
        if name.hasSuffix("List"), let items = document["items"]?.value.array {
            let item = name == "List" ? nil : (apiVersion, String(name.dropLast(4)))
            for element in items { add(element, file: file, isLimitsOnly: isLimitsOnly, item: item) }
            return
        }
        let kind = Manifest.Kind(rawValue: name)
        guard Manifest.Kind.isMeant(by: name) || Manifest.isOurs(apiVersion),
            !(isLimitsOnly && kind == .velocloudBP)
        else {
            report.passedOver += 1
            return
        }
        guard let kind, apiVersion == Manifest.apiVersion else {
            noteUnknown(document, name, apiVersion, file: file)
            return
        }
        switch kind {
        case .velocloudBP: report.velocloudBPs += 1
        case .velocloudLimit: report.velocloudLimits += 1
        }
        manifests.append(
            Manifest(
                file: file, kind: kind, document: document, position: manifests.count,
                defaultNamespace: defaultNamespace))
    }

    private mutating func noteUnknown(_ document: LinedJSON, _ kind: String, _ apiVersion: String?, file: String) {
        let field = apiVersion == Manifest.apiVersion ? "kind" : "apiVersion"
        let metadata = document["metadata"]?.value
        report.findings.append(
            Finding(
                file: file, line: document[field]?.line ?? document.line,
                resource: Finding.Resource(
                    kind: kind, namespace: metadata?["namespace"]?.value.string ?? defaultNamespace,
                    name: metadata?["name"]?.value.string ?? ""),
                reason: .unknownKind, field: field,
                message:
                    "there is no kind \(JSON.string(kind).shown) in version \(JSON.string(apiVersion ?? "").shown); "
                    + "needed is VelocloudBP or VelocloudLimit in version \"\(Manifest.apiVersion)\""))
    }

    // MARK: Judging

    /// What is to be said of all that was added.
    package func finished() -> ValidationReport {
        var report = report
        var judge = Judge()
        for manifest in manifests { judge.look(at: manifest) }
        judge.compare()
        let order = Dictionary(files.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        report.findings = (report.findings + judge.findings).enumerated().sorted { left, right in
            (order[left.element.file] ?? 0, left.element.line, left.offset)
                < (order[right.element.file] ?? 0, right.element.line, right.offset)
        }.map(\.element)
        return report
    }
}
