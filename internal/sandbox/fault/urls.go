package fault

import "strings"

// EvilURLs lists addresses that no browser may be sent to and no request may go
// to, whatever server names them, also not for an endpoint on this computer
// (OAUTH X1, A31, A32).
func EvilURLs() []string {
	return []string{
		// Other schemes: scripts, files, shares, programs that register themselves.
		"javascript:alert(1)", "JaVaScRiPt://accounts.example/%0aalert(1)", "javascript://localhost/%0aalert(1)", "data:text/html,<script>alert(1)</script>",
		"data:text/html;base64,PHNjcmlwdD4=", "vbscript:msgbox(1)", "file:///etc/passwd", "FILE://localhost/etc/passwd", "smb://host.example/share",
		"smb://localhost/x", "vscode://vscode.git/clone?url=x", "ms-msdt:/id%20PCWDiagnostic", "ms-settings:privacy", "search-ms:query=x",
		"ms-appinstaller:?source=https://x.example/x", "about:blank", "chrome://settings", "view-source:https://accounts.example/", "blob:https://x.example/1",
		"ftp://accounts.example/", "ssh://accounts.example/", "tel:+911", "mailto:a@b.example", "intent://x#Intent;scheme=https;end", "https+smb://x.example/",
		"jar:https://x.example!/", "ws://127.0.0.1/", "%68ttps://accounts.example/", "httpſ://accounts.example/",
		// No URL: options of an opener, names of files and shares.
		"--help", "-a", "-oProxyCommand=x", "--new-window=javascript:1", `\\host.example\share`, "//host.example/share", "/etc/passwd", `C:\Windows\System32\calc.exe`,
		"calc.exe", "x", "", "://x", "https", "https:", "https://", "https:opaque", "https:/accounts.example", "https:///authorize", "http:///x",
		// Other authorities than they seem, or than all readers agree on.
		"https://accounts.example@evil.example/", "https://user:pw@accounts.example/", "https://accounts.example\\@evil.example/", "https:\\\\accounts.example\\x",
		"https://accounts.example:80:80/", "https://accounts.example:x/", "https://accounts.example:0/", "https://accounts.example:65536/", "https://accounts.example:/",
		"https://acc\u043eunts.example/", "https://accounts\u3002example/", "https://\uff41ccounts.example/", "https://accounts.example\u2044x/", "https://-x.example/",
		"https://accounts..example/", "https://.example/", "https://$(id).example/", "https://a;b.example/", "https://a'b.example/", `https://a"b.example/`, "https://a,b.example/",
		"https://accounts%2eexample/", "https://accounts.example%00.evil.example/", "https://%61ccounts.example/", "https://[fe80::1%25eth0]/", "https://[::1%25lo]/",
		"https://[accounts.example]/", "https://[::1/", "https://::1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
		// Characters that end, split or colour something.
		"https://accounts.example/\r\nHost:%20evil.example", "https://accounts.example/\nx", "https://accounts.example/\tx", "https://accounts.example/\x00", "\x00https://accounts.example/",
		"https://accounts.example/\x1b[31m", "https://accounts.example/\x7f", "https://accounts.example/\u0085", "https://accounts.example/\u202e", "https://accounts.example/\u200b",
		"https://accounts.example/ --new-window", " https://accounts.example/", "https://accounts.example/\"%20--flag=\"", "https://accounts.example/`id`", "https://accounts.example/{a,b}",
		"https://accounts.example/a|b", "https://accounts.example/a^b", "https://accounts.example/<x>", "https://accounts.example/?a=\"&b", "https://accounts.example/?%s", "https://accounts.example/%zz",
		"https://accounts.example/" + strings.Repeat("a", 100_000),
		// Plain http to somewhere else than this computer.
		"http://accounts.example/", "HTTP://accounts.example/", "http://169.254.169.254/latest/meta-data/", "http://0.0.0.0/", "http://10.0.0.1/", "http://[::]/", "http://2130706433/",
		"http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://127.0.0.1@evil.example/", "http://[::ffff:10.0.0.1]/",
	}
}

// PrivateURLs lists addresses of networks behind this computer, which a server
// has no business to send anybody to (OAUTH A33, X3). http is as bad there.
func PrivateURLs() []string {
	return []string{
		"https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.254/", "https://192.168.1.1/", "https://100.64.0.1/", "https://100.127.255.254/", "https://169.254.169.254/",
		"https://0.0.0.0/", "https://0.1.2.3/", "https://224.0.0.1/", "https://239.255.255.250/", "https://240.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/",
		"https://[::]/", "https://[fe80::1]/", "https://[fec0::1]/", "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/",
		"https://[::ffff:10.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[::10.0.0.1]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1::808:808]/",
		"https://[2002:a00:1::1]/", "https://[2002:7f00:1::1]/", "https://[2001:0:a00:1::1]/", "https://router/", "https://printer.local/", "https://metadata.google.internal/", "https://nas.home.arpa/",
	}
}

// NastyURLs are lawful variants of the URL base, with all that a shell, an
// opener or a command line might take for its own.
func NastyURLs(base, canary string) []string {
	var all []string
	for _, tail := range []string{
		"?x=$(touch${IFS}CANARY)", "?x=$(touch%20CANARY)", "?x=%60touch%20CANARY%60", "?x=;touch%20CANARY;", "?x=1;touch+CANARY", "?x=1&touch%20CANARY&", "?x=1&&touch%20CANARY",
		"?x=%7Ctouch%20CANARY", "?x='touch%20CANARY'", "?x=';touch%20CANARY;'", "?x=%22;touch%20CANARY;%22", "?x=%22%20--flag=%22", "?x=%25s%25u", "?x=%0Atouch%20CANARY%0A", "?x=%00",
		"?x=--help", "?x=*&y=!!&z=~root", "?x=%24HOME&y=%25PATH%25", "?x=(touch%20CANARY)", "?-x=1", "?x=%5C%5Chost%5Cshare", "?x=%1B%5B31m",
	} {
		tail = strings.ReplaceAll(strings.ReplaceAll(tail, "${IFS}", "$IFS"), "CANARY", canary)
		all = append(all, base+tail)
	}
	return all
}
