import Glibc
import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportCredentialFileTests {
    let folder = TransportFolder()
    let clock = TransportBox<Int64>(0)

    private func file(isTrimmed: Bool = true) -> CredentialFile {
        CredentialFile(path: folder.file("token"), isTrimmed: isTrimmed, now: { [clock] in clock.value })
    }

    private func write(_ text: String) { folder.write("token", Array(text.utf8)) }

    private func error(_ file: CredentialFile) -> CredentialFileError? {
        do throws(CredentialFileError) {
            _ = try file.current()
            return nil
        } catch {
            return error
        }
    }

    // A change is seen after five seconds, not before; and at once after the content was refused.
    @Test func aChangeIsSeenInTime() throws {
        let file = file()
        write("one")
        #expect(try file.current() == Array("one".utf8))
        write("two")
        clock.change { $0 = CredentialFile.age - 1 }
        #expect(try file.current() == Array("one".utf8))
        clock.change { $0 = CredentialFile.age }
        #expect(try file.current() == Array("two".utf8))
        write("three")
        file.invalidate()
        #expect(try file.current() == Array("three".utf8))
    }

    // Mounted Secrets: the path leads through a link that is swapped for another.
    @Test func aSwappedLinkIsFollowed() throws {
        folder.write("first", Array("one".utf8))
        folder.write("second", Array("two".utf8))
        symlink("first", folder.file("token"))
        let file = file()
        #expect(try file.current() == Array("one".utf8))
        symlink("second", folder.file("next"))
        rename(folder.file("next"), folder.file("token"))
        clock.change { $0 = CredentialFile.age }
        #expect(try file.current() == Array("two".utf8))
    }

    // White space round a token goes where that is asked for, and stays where it is not.
    @Test func onlyATrimmedFileIsTrimmed() throws {
        write(" \n to ken\r\n\t ")
        #expect(try file().current() == Array("to ken".utf8))
        #expect(try file(isTrimmed: false).current() == Array(" \n to ken\r\n\t ".utf8))
    }

    // A file that is gone for a moment does no harm; one that was refused and is gone is said to be.
    @Test func theOldContentStandsInUntilItIsRefused() throws {
        let file = file()
        write("one")
        #expect(try file.current() == Array("one".utf8))
        unlink(folder.file("token"))
        clock.change { $0 = CredentialFile.age }
        #expect(try file.current() == Array("one".utf8))
        file.invalidate()
        #expect(error(file) == .unreadable(path: folder.file("token"), reason: "No such file or directory"))
        write("two")
        #expect(try file.current() == Array("two".utf8))
    }

    // What cannot be a credential is refused by name and reason.
    @Test func whatIsNoCredentialIsRefused() throws {
        let path = folder.file("token")
        #expect(error(file()) == .unreadable(path: path, reason: "No such file or directory"))
        write(" \n")
        #expect(error(file()) == .empty(path: path))
        #expect(error(file(isTrimmed: false)) == nil)
        folder.write("token", [UInt8](repeating: 65, count: CredentialFile.bytesMax + 1))
        #expect(error(file()) == .tooLarge(path: path, limit: CredentialFile.bytesMax))
        unlink(path)
        mkfifo(path, 0o600)
        #expect(error(file()) == .unreadable(path: path, reason: "not a regular file"))
        let directory = CredentialFile(path: folder.path, isTrimmed: true, now: { 0 })
        #expect(error(directory) == .unreadable(path: folder.path, reason: "not a regular file"))
        #expect("\(CredentialFileError.empty(path: path))" == "\(path) is empty")
    }
}
