package edit_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

func TestSet_json_replacesTheValueOnly(t *testing.T) {
	t.Parallel()
	before := `{
  "mcpServers": {
    // PayU's guide says:
    "payu" : {"url": "https://api.payu.in/mcp", /* ? */ "transport": "http"} , // end
    "a": {}
  }
}`
	want := `{
  "mcpServers": {
    // PayU's guide says:
    "payu" : {
      "command": "/usr/local/bin/payu-mcp",
      "args": ["--profile", "shop"]
    } , // end
    "a": {}
  }
}`
	got, err := edit.Set(edit.JSON, []byte(before), servers, bridge)
	if d := cmp.Diff(want, string(got)); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestSet_equalEntryInOtherWords_sameBytes(t *testing.T) {
	t.Parallel()
	for f, file := range map[edit.Format]string{
		edit.JSON: `{"mcpServers": {"payu": {"args": ["--profile", /* c */ "\u0073hop",], "command": "/usr/local/bin/payu-mcp"}}}`,
		edit.TOML: "mcpServers.payu.args = ['--profile',\n 'shop'] # c\nmcpServers.payu.command = '/usr/local/bin/payu-mcp'",
		edit.YAML: "mcpServers: {payu: {args: [--profile, shop], command: /usr/local/bin/payu-mcp}}",
	} {
		got, err := edit.Set(f, []byte(file), servers, bridge)
		if err != nil || string(got) != file {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

func TestRemove_json_neighboursStay(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		// Added behind ours by hand, and in front.
		"{\n  \"mcpServers\": {\n    \"payu\": {\n      \"command\": \"x\"\n    },\n    \"b\": {}\n  }\n}\n": "{\n  \"mcpServers\": {\n    \"b\": {}\n  }\n}\n",
		"{\"mcpServers\": {\"payu\": {\n  \"command\": \"x\"\n},\n  \"b\": {}\n}}":                           "{\"mcpServers\": {\n  \"b\": {}\n}}",
		"{\"mcpServers\": {\"payu\": {}, \"b\": {}}}":                                                        "{\"mcpServers\": {\"b\": {}}}",
		"{\"mcpServers\": {\"a\": {}, \"payu\": {}, \"b\": {}}}":                                             "{\"mcpServers\": {\"a\": {}, \"b\": {}}}",
		// Comments around it.
		"{\"mcpServers\": {\n  \"a\": {}, // a\n  // ours\n  \"payu\": {} // end\n}}": "{\"mcpServers\": {\n  \"a\": {} // a\n  // ours\n  // end\n}}",
		"{\"mcpServers\": {\n  // ours\n  \"payu\": {}, // end\n  \"b\": {}\n}}":      "{\"mcpServers\": {\n  // ours\n  // end\n  \"b\": {}\n}}",
		"{\"mcpServers\": {\n  // ours\n  \"payu\": {}}}":                             "{\"mcpServers\": {\n  // ours\n  }}",
		"{\"mcpServers\": {\n  \"a\": 1, // a\n  \"payu\": {}}}":                      "{\"mcpServers\": {\n  \"a\": 1 // a\n  }}",
		"{\"mcpServers\": {\n  \"payu\": {} /* x */, \"b\": {}\n}}":                   "{\"mcpServers\": {\n   /* x */ \"b\": {}\n}}",
		// Parents that are not as we make them.
		"{\n  \"mcpServers\": {\n    \"payu\": {},\n  },\n}":         "{\n  \"mcpServers\": {\n  },\n}",
		"{\n  \"mcpServers\": {\n    \"payu\": {}\n  }, \"a\": 1\n}": "{\n  \"a\": 1\n}",
		"{\n  \"mcpServers\": {\n    \"payu\": {}\n  }\n}\n":         "",
	} {
		got, err := edit.Remove(edit.JSON, []byte(before), servers)
		if d := cmp.Diff(want, string(got)); err != nil || d != "" {
			t.Errorf("%v in\n%s\n%s", err, before, d)
		}
	}
}

func TestList_files_plainValues(t *testing.T) {
	t.Parallel()
	want := map[string]map[string]any{
		"a": {"n": json.Number("1"), "x": json.Number("0.5"), "on": true, "args": []any{"b"}, "env": map[string]any{"C": "d"}},
		"b": nil,
	}
	for f, file := range map[edit.Format]string{
		edit.JSON: `{"mcpServers": {"a": {"n": 1, "x": 0.5, "on": true, "args": ["b"], "env": {"C": "d"}}, "b": 1}}`,
		edit.TOML: "[mcpServers]\nb = 1\n[mcpServers.a]\nn = 1\nx = 0.5\non = true\nargs = [\"b\"]\nenv.C = \"d\"\n",
		edit.YAML: "mcpServers:\n  a:\n    n: 1\n    x: 0.5\n    on: true\n    args: [b]\n    env: {C: d}\n  b: 1\n",
	} {
		got, err := edit.List(f, []byte(file), servers)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Error(f, err, d)
		}
		// What is listed can be given back.
		e := edit.Entry{}
		for key, value := range got["a"] {
			e = append(e, edit.Member{Key: key, Value: value})
		}
		if back, err := edit.Set(f, []byte(file), edit.Place{Parent: servers.Parent, Name: "a"}, e); err != nil || string(back) != file {
			t.Error(f, err, string(back))
		}
		for _, empty := range []string{"", "\n", "\ufeff", "\ufeff\r\n"} {
			if got, err := edit.List(f, []byte(empty), servers); err != nil || len(got) != 0 {
				t.Errorf("%q: %v, %v", empty, got, err)
			}
		}
	}
	got, err := edit.List(edit.YAML, []byte("mcpServers:\n  - name: a\n    n: 1\n  - uses: x\n  - name: a\n"), continued)
	if d := cmp.Diff(map[string]map[string]any{"a": {"name": "a"}}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if _, err := edit.List(edit.JSON, []byte(`{"mcpServers": {"a": 1, "a": 2}}`), servers); !errors.Is(err, edit.ErrRefused) {
		t.Error(err)
	}
}

func TestSnippet_formats_wholeFile(t *testing.T) {
	t.Parallel()
	for f, want := range map[edit.Format]string{
		edit.JSON: "{\n  \"mcpServers\": {\n    \"payu\": {\n      \"command\": \"x\"\n    }\n  }\n}\n",
		edit.TOML: "[mcpServers.payu]\ncommand = \"x\"\n",
		edit.YAML: "mcpServers:\n  payu:\n    command: \"x\"\n",
	} {
		got, err := edit.Snippet(f, servers, edit.Entry{{"command", "x"}})
		if err != nil || string(got) != want {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

func TestSet_oddEntries_refused(t *testing.T) {
	t.Parallel()
	for _, f := range []edit.Format{edit.JSON, edit.TOML, edit.YAML} {
		for _, e := range []edit.Entry{{{"a", math.Pi}}, {{"a", "\xff"}}, {{"a", "1"}, {"a", "2"}}} {
			if got, err := edit.Set(f, nil, servers, e); err == nil {
				t.Errorf("%v: %s", e, got)
			}
		}
	}
	if _, err := edit.Set(9, nil, servers, bridge); !errors.Is(err, edit.ErrRefused) {
		t.Error(err)
	}
}
