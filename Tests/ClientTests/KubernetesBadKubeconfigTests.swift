import Kubernetes
import Testing

@Suite struct KubernetesBadKubeconfigTests {
    private static let head = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
    private static let cluster = "clusters: [{name: k, cluster: {server: \"https://k\"}}]\n"

    private static func cluster(_ members: String) -> String {
        head + "clusters: [{name: k, cluster: {\(members)}}]\nusers: [{name: u, user: {}}]"
    }

    private static func user(_ members: String) -> String {
        head + cluster + "users: [{name: u, user: {\(members)}}]"
    }

    /// Every wrong kubeconfig is told with its file, the entry and what is wrong there; no secret is repeated.
    @Test(arguments: [
        ("", ": there is no current-context: name one by --context (there are: none)"),
        ("contexts: [{name: b}, {name: a}]", ": there is no current-context: name one by --context (there are: a, b)"),
        ("current-context: x\n" + cluster, ": there is no context \"x\" (there are: none)"),
        ("just words", ": this is no kubeconfig, it has no members"),
        ("[1, 2]", ": this is no kubeconfig, it has no members"),
        ("kind: Secret\ndata: {a: hunter2}", ": this is a Secret, not a kubeconfig (kind: Config)"),
        ("a: b\n\thunter2: [", ": line 2 is not YAML: found a tab character that violates indentation"),
        ("users: [{name: hunter2", ": line 1 is not YAML: did not find expected ',' or '}'"),
        ("a: hunter2\na: hunter2", ": line 2 is not YAML: this member is written more than once"),
        ("a: 1\nb: *hunter2", ": line 2 is not YAML: there is no anchor of this name before this alias"),
        ("a: 1\nb: *.hunter2", ": line 2 is not YAML: a text that begins with * must be in quotes"),
        ("a: 1\n---\nb: hunter2", ": this is no kubeconfig, it has more than one document"),
        ("clusters: hunter2", ": clusters must be a list"),
        ("clusters: [hunter2]", ": an entry of clusters has no name"),
        ("users: [{user: {token: hunter2}}]", ": an entry of users has no name"),
        ("users: [{name: u}, {name: u}]", ": users has two entries of the name \"u\""),
        ("users: [{name: u, user: hunter2}]", ": user \"u\" must have members"),
        ("current-context: c\ncontexts: [{name: c}]", ": context \"c\": it names no cluster"),
        (head, ": context \"c\": there is no cluster \"k\" (there are: none)"),
        (head + cluster, ": context \"c\": there is no user \"u\" (there are: none)"),
        (cluster(""), ": cluster \"k\": it has no server"),
        (cluster("server: null"), ": cluster \"k\": it has no server"),
        (cluster("server: [a]"), ": cluster \"k\": server must be a text"),
        (cluster("server: \"k:6443\""), ": cluster \"k\": the server must begin with https:// (or http://)"),
        (
            cluster("server: \"https://me:hunter2@k\""),
            ": cluster \"k\": the server must hold no user and password; give them in the user entry"
        ),
        (
            cluster("server: \"https://k\", insecure-skip-tls-verify: perhaps"),
            ": cluster \"k\": insecure-skip-tls-verify must be true or false"
        ),
        (
            cluster("server: \"https://k\", insecure-skip-tls-verify: true, certificate-authority: ca.pem"),
            ": cluster \"k\": it has insecure-skip-tls-verify and a certificate-authority: take one out"
        ),
        (
            cluster("server: \"https://k\", certificate-authority-data: \"hunter2!\""),
            ": cluster \"k\": certificate-authority-data is not Base64"
        ),
        (
            cluster("server: \"https://k\", certificate-authority-data: Zm9v"),
            ": cluster \"k\": certificate-authority: there is no PEM certificate in it"
        ),
        (cluster("server: \"https://k\", certificate-authority: none.pem"), ": cluster \"k\": certificate-authority: "),
        (
            cluster("server: \"https://k\", proxy-url: \"proxy:3128\""),
            ": cluster \"k\": proxy-url must begin with http://, https:// or socks5://"
        ),
        (user("tokenFile: none"), ": user \"u\": tokenFile: "),
        (user("token: {a: hunter2}"), ": user \"u\": token must be a text"),
        (
            user("token: hunter2, username: me"),
            ": user \"u\": it has a token and a username: take one of them out"
        ),
        (user("client-key-data: Zm9v"), ": user \"u\": it has a client-key but no client-certificate"),
        (user("client-certificate: ca.pem"), ": user \"u\": it has a client-certificate but no client-key"),
        (user("client-certificate-data: Zm9vY"), ": user \"u\": client-certificate-data is not Base64"),
        (user("client-certificate-data: Zm9vYm8"), ": user \"u\": client-certificate-data is not Base64"),
        (user("client-certificate-data: Zg="), ": user \"u\": client-certificate-data is not Base64"),
        (user("client-certificate-data: Zm9v="), ": user \"u\": client-certificate-data is not Base64"),
        (user("client-certificate-data: Zm=9"), ": user \"u\": client-certificate-data is not Base64"),
        (
            user("client-certificate-data: Zm9v, client-key-data: Zm9v"),
            ": user \"u\": client-certificate: there is no PEM certificate in it"
        ),
        (user("exec: {command: aws}"), ": user \"u\": exec (a login helper of kubectl) is not supported: give"),
        (user("auth-provider: {name: gcp}"), ": user \"u\": auth-provider (a login helper of kubectl) is not"),
        (user("as: admin, token: t"), ": user \"u\": as (impersonation) is not supported"),
        (user("as-groups: [a]"), ": user \"u\": as-groups (impersonation) is not supported"),
    ])
    func wrong(text: String, problem: String) throws {
        let folder = try KubernetesFolder()
        folder.write("ca.pem", pemForTests)
        let path = folder.write("config", text)
        let said = try #require(kubernetesProblem(kubeconfig: path))
        #expect(said.hasPrefix(path + problem), "\(said)")
        #expect(!said.contains("hunter2"))
    }

    /// Not even text.
    @Test func binary() throws {
        let folder = try KubernetesFolder()
        let path = folder.write("config", "")
        folder.writeBytes("config", [0xff, 0xfe, 0x41])
        #expect(kubernetesProblem(kubeconfig: path) == path + ": this is no kubeconfig, it is not UTF-8 text")
    }

    /// A folder in the place of the file is told by its path.
    @Test func folder() throws {
        let folder = try KubernetesFolder()
        let said = try #require(kubernetesProblem(kubeconfig: folder.path))
        #expect(said == "the kubeconfig: cannot read \(folder.path): not a regular file")
    }
}
