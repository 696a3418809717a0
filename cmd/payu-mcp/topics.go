package main

import "github.com/spf13/cobra"

// The help topics are what holds for every command: `payu-mcp help environment`.
// The manual page has them as sections (manual.go), so each is told once.
const (
	topicExit = `Every command ends with one of these codes:

  0    done
  1    another error; doctor: the first fault is on this computer or in a host's configuration; install, uninstall: a host's file is not as it was asked for
  2    the command line cannot be meant
  3    status, doctor: nobody is signed in; tools, call: nor is anybody there to do it
  4    the sign-in was denied, cancelled, not finished in time, or opened by two browsers; call: the person said no to the call
  5    the keychain is absent, locked, or too slow
  6    the network, the endpoint or the authorization server is at fault; logout: not every token is confirmed to be dead
  7    call: the call may have run, and its outcome is unknown
  130  interrupted`

	topicEnvironment = `Each option can also come from the environment, as PAYU_MCP_ and its name in
capitals, with _ for -: PAYU_MCP_PROXY for --proxy. An option that is given counts
before the environment, then comes what login remembers, then the default. Hosts
strip the environment of what they start, so it is best to tell login once.

  PAYU_MCP_CLIENT_SECRET       the client secret that belongs to --client-id, for one login; it is sealed with the login
  PAYU_MCP_BROWSER             a command line that opens a web address, which becomes its last argument
  HTTPS_PROXY, NO_PROXY        the proxy, and what to reach without it, where --proxy is not given
  SSL_CERT_FILE, SSL_CERT_DIR  where the system's certificate authorities are, other than on macOS and Windows
  BROWSER                      the browsers of a Linux desktop, with colons between; those for a terminal are not used
  DISPLAY, WAYLAND_DISPLAY     the Linux desktop on which the browser opens
  XDG_CONFIG_HOME, APPDATA, CLAUDE_CONFIG_DIR, CODEX_HOME  where install looks for the hosts' files
  GOMEMLIMIT                   what the memory of the process is kept under, if it can be (default 40MiB)`

	topicFiles = `The state folder is ~/.local/state/payu-mcp on Linux, ~/Library/Application Support/payu-mcp
on macOS and %USERPROFILE%\.payu-mcp on Windows, unless --state-dir names another one. Only you
may enter it. It holds, for each profile, above all:

  credential-*  the login, encrypted; its key is in the system's keychain
  profile-*     what login was told
  catalogue-*   what the server says of itself and its tools, for the answer at once
  era-*         which protocol era the server speaks
  journal/      the calls that may have changed something at PayU, which payu-mcp journal shows
  logs/         the log, which payu-mcp logs shows

Nothing else is written, but for the configuration of the hosts by install and uninstall.`
)

// topics are commands that cannot be run: cobra lists them as help topics.
func topics() []command {
	return []command{
		topic("exit-status", "What the exit codes mean", topicExit),
		topic("environment", "Which variables of the environment count", topicEnvironment),
		topic("files", "What is stored where", topicFiles),
	}
}

func topic(name, short, long string) command {
	return command{name, func() *cobra.Command {
		t := &cobra.Command{Use: name, Short: short, Long: long}
		t.SetHelpFunc(func(c *cobra.Command, _ []string) { c.Println(c.Long) }) // without a usage, which it has not
		return t
	}}
}
