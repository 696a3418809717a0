package edit_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

const generated = 100 // files of each format

// writer makes files up, in every style that the format allows.
type writer struct {
	*rand.Rand
	eol string
}

func (w writer) pick(from ...string) string { return from[w.IntN(len(from))] }

// some makes a list of up to n things.
func (w writer) some(n int, one func() string) []string {
	var all []string
	for range w.IntN(n + 1) {
		all = append(all, one())
	}
	return all
}

func (w writer) extra() string {
	return strings.Join(w.some(2, func() string {
		return w.pick("", "", " ", "  ", "\t", w.eol, w.eol+"  ", w.eol+"    ", "// c"+w.eol, " // {\"payu\": 1},"+w.eol, "/* c */", "/* \""+w.eol+" */ ", "/**/")
	}), "")
}

func (w writer) json(depth int) string {
	if depth <= 0 || w.IntN(5) == 0 {
		return w.pick("1", "-0.10e+2", "12345678901234567890", "null", "true", `"x"`, `"}{\"//"`, `""`, "{}", "[]", `"é\ud83d\ude00"`)
	}
	open, end := "{", "}"
	member := func() string {
		return w.extra() + w.pick(`"mcpServers"`, `"servers"`, `"payu"`, `"mcp"`, `"amp.mcpServers"`, `"a"`, `"b c"`, `"\u0070ayu"`) + w.extra() + ":" + w.extra() + w.json(depth-1) + w.extra()
	}
	if w.IntN(6) == 0 {
		open, end = "[", "]"
		member = func() string { return w.extra() + w.json(depth-1) + w.extra() }
	}
	all := strings.Join(w.some(3, member), ",")
	if all != "" && w.IntN(4) == 0 {
		all += ","
	}
	return open + all + w.extra() + end
}

func (w writer) toml() string {
	key := func() string {
		return strings.Join(append(w.some(1, func() string { return w.pick("mcp_servers", `"x.y"`, "mcp_servers . ") }), w.pick("payu", `"payu"`, "a", "b", "'c d'", "mcp_servers", "z")), ".")
	}
	line := func() string {
		c := w.pick("", "", " # c", "\t# [mcp_servers.payu]")
		switch w.IntN(8) {
		case 0:
			return w.pick("", " ", "\t")
		case 1:
			return w.pick("# c", "  # a = 1", "#[mcp_servers.payu]")
		case 2, 3:
			return w.pick("", " ") + "[" + w.pick("", " ") + key() + "]" + c
		case 4:
			return "[[" + w.pick("list", "mcp_servers.list", "mcp_servers.payu.list") + "]]" + c
		default:
			v := w.pick("1", `"x"`, "[1, 2]", "{ a = 1 }", "1979-05-27", "nan", "["+w.eol+" 1, # c"+w.eol+"]", `"""`+w.eol+"[x]"+w.eol+`"""`, "'''"+w.eol+"# "+w.eol+w.eol+"'''", "true", "{}")
			return w.pick("", "  ") + w.pick("k", "l", "m", "n", "o", key()) + w.pick(" = ", "=") + v + c
		}
	}
	return strings.Join(w.some(7, line), w.eol) + w.pick("", w.eol, w.eol+w.eol)
}

func (w writer) yaml(depth int, indent string) string {
	var b strings.Builder
	isList := depth < 3 && w.IntN(4) == 0
	for range 1 + w.IntN(3) {
		for _, c := range w.some(1, func() string { return w.pick("", indent+"# c", "# c", indent+"      # deep", "  ") }) {
			b.WriteString(c + w.eol)
		}
		if isList {
			b.WriteString(indent + "- name: " + w.pick("payu", `"a"`, "b # c", "c", "1") + w.eol)
			if w.IntN(2) == 0 {
				b.WriteString(indent + "  command: " + w.scalar(indent+"  ") + w.eol)
			}
			continue
		}
		b.WriteString(indent + w.pick("extensions", "mcpServers", "payu", "a", "b", `"x"`, "'y z'", "true") + ":")
		if depth <= 0 || w.IntN(3) == 0 {
			b.WriteString(w.pick("", " ", " # c", " {}", " []", " { } # c", " ["+w.eol+indent+"  ]", " {a: {b: c}}", " "+w.scalar(indent), " "+w.scalar(indent)) + w.eol)
			continue
		}
		b.WriteString(w.pick("", " # c", "  ") + w.eol + w.yaml(depth-1, indent+w.pick(" ", "  ", "    ")))
	}
	return b.String()
}

func (w writer) scalar(indent string) string {
	in := w.eol + indent + "   "
	return w.pick("x", "x # c", "'it''s'", `"a: \"b\" # c"`, "1", "~", "|"+in+"text"+in+"# text", ">-"+in+"text"+w.eol+w.eol+in[len(w.eol):]+"more", "|+"+in+"keep"+w.eol, "plain"+in+"goes on", `"quoted`+in+`goes on"`, "[a, {b: c}]", "é")
}

func (w writer) file(f edit.Format) string {
	switch f {
	case edit.TOML:
		return w.toml()
	case edit.YAML:
		s := w.pick("", "", "---"+w.eol, "# c"+w.eol) + w.yaml(3, "") + w.pick("", "", "# end", "..."+w.eol)
		if w.IntN(4) == 0 {
			s = strings.TrimSuffix(s, w.eol)
		}
		return s
	default:
		return w.extra() + w.json(4) + w.extra()
	}
}

func TestEdit_generated_otherBytesStay(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]edit.Format{"json": edit.JSON, "toml": edit.TOML, "yaml": edit.YAML} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done, where, all := 0, places(f), entries()
			for seed := range uint64(generated) {
				w := writer{rand.New(rand.NewPCG(seed, 6)), "\n"}
				w.eol = w.pick("\n", "\n", "\r\n")
				file := []byte(w.file(f))
				for i, at := range where {
					with := judge(t, f, file, at, all[(int(seed)+i)%len(all)])
					if with != nil {
						done++
					}
					if with != nil && seed%10 == 0 {
						handEdits(t, f, file, with, at)
					}
				}
				if t.Failed() {
					t.Fatalf("seed %d:\n%q", seed, file)
				}
			}
			if done < generated/4 {
				t.Errorf("only %d were edited", done)
			}
			t.Logf("%d of %d edited", done, generated*len(where))
		})
	}
}
