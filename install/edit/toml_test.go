package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

var (
	codex      = edit.Place{Parent: []string{"mcp_servers"}, Name: "payu"}
	codexEntry = edit.Entry{
		{"command", `C:\Program Files\payu-mcp.exe`},
		{"args", []string{}},
		{"env_vars", []string{"HTTPS_PROXY"}},
		{"env", map[string]string{"A": "b", "odd key": "\x7f\""}},
		{"startup_timeout_sec", 30},
	}
)

const codexBlock = `[mcp_servers.payu]
command = "C:\\Program Files\\payu-mcp.exe"
args = []
env_vars = ["HTTPS_PROXY"]
env = { A = "b", "odd key" = "\u007f\"" }
startup_timeout_sec = 30
`

func TestSet_toml_appendsBlock(t *testing.T) {
	t.Parallel()
	noEnd := strings.TrimSuffix(codexBlock, "\n")
	for before, want := range map[string]string{
		"":                              codexBlock,
		"a = 1\n":                       "a = 1\n\n" + codexBlock,
		"a = 1":                         "a = 1\n\n" + noEnd,
		"a = 1\r\n":                     "a = 1\r\n\r\n" + strings.ReplaceAll(codexBlock, "\n", "\r\n"),
		"\ufeff# c\n":                   "\ufeff# c\n\n" + codexBlock,
		"[mcp_servers]\n":               "[mcp_servers]\n\n" + codexBlock,
		"a = \"\"\"\n[x]\n\"\"\"\n\n\n": "a = \"\"\"\n[x]\n\"\"\"\n\n\n\n" + codexBlock,
		"[mcp_servers.a]\nenv.B = \"c\" # d\n[[x]]":                                                        "[mcp_servers.a]\nenv.B = \"c\" # d\n[[x]]\n\n" + noEnd,
		"[mcp_servers]\na.command = \"x\"\n\n[x.y]\nf = [nan, inf, 1e5, 07:32:00, 1979-05-27T07:32:00Z]\n": "[mcp_servers]\na.command = \"x\"\n\n[x.y]\nf = [nan, inf, 1e5, 07:32:00, 1979-05-27T07:32:00Z]\n\n" + codexBlock,
	} {
		if d := cmp.Diff(want, roundTrip(t, edit.TOML, before, codex, codexEntry)); d != "" {
			t.Error(d)
		}
	}
	for _, before := range []string{"\n", " ", "\n ", "#", "# c\n\n# d", "\r\n\r\n", "a=1\n  ", "[a]\n\n\n# end\n"} {
		roundTrip(t, edit.TOML, before, codex, codexEntry)
		roundTrip(t, edit.TOML, before, edit.Place{Parent: []string{"a.b", "é"}, Name: "c d"}, codexEntry)
		roundTrip(t, edit.TOML, before, edit.Place{Name: "x"}, edit.Entry{})
	}
}

// tomlOld is a file with an entry of ours in the middle, tables below it
// elsewhere, and comments around all of it.
const tomlOld = `model = "o3" # best

# PayU, by me
[mcp_servers.payu]
command = "/old" # moved
# args next
args = [
  "a", # one
]
# end of payu

[profiles.x]
model = "y"

[mcp_servers."payu".env]
A = """
[x]
"""
# after env
`

func TestSet_toml_replacesInPlace(t *testing.T) {
	t.Parallel()
	got, err := edit.Set(edit.TOML, []byte(tomlOld), codex, codexEntry)
	want := `model = "o3" # best

# PayU, by me
` + codexBlock + `# end of payu

[profiles.x]
model = "y"
# after env
`
	if d := cmp.Diff(want, string(got)); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestRemove_toml_commentsAndOthersStay(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		tomlOld: `model = "o3" # best

# PayU, by me
# end of payu

[profiles.x]
model = "y"
# after env
`,
		"[mcp_servers]\npayu = { command = \"x\" } # mine\nb = {}\n":                  "[mcp_servers]\nb = {}\n",
		"mcp_servers.payu.command = \"x\"\nmcp_servers.b.command = \"y\"\n":           "mcp_servers.b.command = \"y\"\n",
		"[mcp_servers.payu]\ncommand = \"x\"\n\n[mcp_servers.payu.env]\nA = \"b\"":    "",
		"[mcp_servers.b]\n\n[mcp_servers.payu]\ncommand = \"x\"\n\n[mcp_servers.c]\n": "[mcp_servers.b]\n\n[mcp_servers.c]\n",
		"[mcp_servers.b]\n": "[mcp_servers.b]\n",
		"":                  "",
	} {
		got, err := edit.Remove(edit.TOML, []byte(before), codex)
		if d := cmp.Diff(want, string(got)); err != nil || d != "" {
			t.Errorf("%v in\n%s\n%s", err, before, d)
		}
	}
}

func TestSet_toml_refusals(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"a = 1\nb =\n":   "line 2",
		"a = 1\na = 2\n": "a",
		"[mcp_servers.payu]\n[mcp_servers.payu]\n": "payu",
		"\nmcp_servers = { a = {} }\n":             "line 2: mcp_servers is written as a value or with dotted keys",
		"mcp_servers.a.command = \"x\"\n":          "line 1: mcp_servers is written as a value or with dotted keys",
		"mcp_servers = 1\n":                        "\"mcp_servers\" is not an object",
		"[[mcp_servers]]\n":                        "\"mcp_servers\" is not an object",
		"a = 99999999999999999999\n":               "line 1",
		"a = 1\r":                                  "carriage return",
		"a = " + strings.Repeat("[", 100000):       "line 1",
	} {
		if _, err := edit.Set(edit.TOML, []byte(before), codex, codexEntry); !errors.Is(err, edit.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", before, err, want)
		}
	}
}
