import Glibc
import Testing

@testable import Validation

/// Which files the paths of a command line stand for.
@Suite struct FileTests {
    /// Folders are gone through in order; only YAML and JSON, nothing hidden, links to files but not to folders.
    @Test func folders() throws {
        let folder = try Folder()
        for name in [
            "b.yaml", "a/z.yml", "a/b.json", "c.json", "readme.md", "d.yaml.bak", ".hidden.yaml", ".git/x.yaml",
            "e/.x/y.yaml",
        ] { try folder.write(name, "") }
        let target = try folder.write("elsewhere/data", "")
        try folder.link("d.yaml", to: target)
        try folder.link("circle.yaml", to: folder.path)
        try folder.link("circle", to: folder.path)
        #expect(mkfifo("\(folder.path)/pipe.yaml", 0o600) == 0)
        for path in [folder.path, folder.path + "/"] {
            #expect(
                try ManifestFiles(manifests: [path], limits: []).files.map { $0.path.dropFirst(folder.path.count) }
                    == ["/a/b.json", "/a/z.yml", "/b.yaml", "/c.json", "/d.yaml"])
        }
    }

    /// Paths come in the order given, each file once; a file that was named is taken by any name.
    @Test func paths() throws {
        let folder = try Folder()
        let (plain, hidden) = (try folder.write("plain", ""), try folder.write("x/.hidden", ""))
        let limit = try folder.write("limits/l.yaml", "")
        let files = try ManifestFiles(
            manifests: [plain, hidden, "\(folder.path)/x/../plain", limit], limits: [folder.path, "-", "-"]
        ).files
        #expect(files.map(\.path) == [plain, hidden, limit, "-"])
        #expect(files.map(\.isLimitsOnly) == [false, false, false, true])
    }

    /// A path that stands for nothing is an error with its name and reason; so is a link to nothing in a folder.
    @Test func nothingThere() throws {
        let folder = try Folder()
        let gone = folder.path + "/gone"
        let problem = "No such file or directory"
        #expect(throws: ManifestFiles.Unreadable(path: gone, problem: problem)) {
            try ManifestFiles(manifests: [folder.path, gone], limits: [])
        }
        try folder.link("l.yaml", to: gone)
        #expect(throws: ManifestFiles.Unreadable(path: "\(folder.path)/l.yaml", problem: problem)) {
            try ManifestFiles(manifests: [], limits: [folder.path])
        }
    }

    /// Files beyond the limit are not read.
    @Test func tooLarge() throws {
        let folder = try Folder()
        let path = try folder.write("a.yaml", String(repeating: "#", count: ManifestFiles.bytesMax))
        let file = ManifestFiles.File(path: path, isLimitsOnly: false)
        #expect(try ManifestFiles.content(of: file)?.count == ManifestFiles.bytesMax)
        try folder.write("a.yaml", String(repeating: "#", count: ManifestFiles.bytesMax + 1))
        #expect(try ManifestFiles.content(of: file) == nil)
    }
}
