package remote

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//oauth:row X23 remote/params.go "headerValue(text)" => "text"
func TestMirror_arguments_asTheirTypesSay(t *testing.T) {
	t.Parallel()
	bindings := []binding{
		{[]string{"region"}, "Mcp-Param-Region"},
		{[]string{"where", "place"}, "Mcp-Param-Place"},
		{[]string{"where", "deep", "place"}, "Mcp-Param-Deep"},
	}
	for arguments, want := range map[string]map[string]string{
		`{"region":"us-west1","query":"SELECT * FROM users"}`: {"Region": "us-west1"},
		`{"region":"Hello, 世界"}`:                              {"Region": "=?base64?SGVsbG8sIOS4lueVjA==?="},
		`{"region":"a\u0009b"}`:                               {"Region": "=?base64?YQli?="},
		`{"region":""}`:                                       {"Region": ""},
		`{"region":42}`:                                       {"Region": "42"},
		`{"region":true}`:                                     {"Region": "true"},
		`{"region":false}`:                                    {"Region": "false"},
		`{"region":null}`:                                     {},
		`{}`:                                                  {},
		`{"Region":"x","place":"y","where":"z"}`:              {},
		`{"region":["x"]}`:                                    {},
		`{"region":{"region":"x"}}`:                           {},
		`{"region":1.5}`:                                      {},
		`{"where":{"place":"a","deep":{"place":"b"}},"region":"c"}`:    {"Region": "c", "Place": "a", "Deep": "b"},
		`{"where":[{"place":"a"}]}`:                                    {},
		`{"where":{"deep":{"Place":1,"place":-7}}}`:                    {"Deep": "-7"},
		`{"region":"a","region":"b"}`:                                  {"Region": "b"},
		`{"region":"a","region":null}`:                                 {},
		`{"where":{"place":"a"},"where":{"deep":{"place":"b"}}}`:       {"Deep": "b"},
		`{"where":{"place":"a"},"where":7}`:                            {},
		`{"\u0072egion":"x"}`:                                          {"Region": "x"},
		`[{"region":"x"}]`:                                             {},
		`{"region":"x"},"arguments":{}`:                                {},
		`{"region":"x"},"Arguments":{"region":"y"}`:                    {"Region": "x"},
		`{"region":"x"},"_meta":{"arguments":{"region":"y"}}`:          {"Region": "x"},
		`{"region":"x"}},"Params":{"arguments":{"region":"y"}}, "x":{`: {"Region": "x"},
	} {
		h := http.Header{}
		mirror(h, bindings, scanned(t, `{"id":1,"method":"tools/call","params":{"name":"t","arguments":`+arguments+`}}`))
		got := map[string]string{}
		for name := range h {
			got[strings.TrimPrefix(name, "Mcp-Param-")] = h.Get(name)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", arguments, d)
		}
	}
}

func TestMirror_noBindingsOrArguments_noHeaders(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	mirror(h, nil, scanned(t, `{"id":1,"method":"tools/call","params":{"arguments":{"a":"b"}}}`))
	mirror(h, []binding{{[]string{"a"}, "Mcp-Param-A"}}, scanned(t, `{"id":1,"method":"tools/call","params":[],"arguments":{"a":"b"}}`))
	if len(h) != 0 {
		t.Error(h)
	}
}

func TestIntegerText_numbers_exactOrNone(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"42": "42", "-7": "-7", "0": "0", "-0": "0", "0.0": "0", "0e99999999999": "0", "1.0": "1", "-1.00": "-1", "1e2": "100", "1E+2": "100",
		"12.50e1": "125", "1.5e1": "15", "100e-2": "1", "100e-3": "", "0.1": "", "1.5": "", "1e-1": "",
		"9007199254740991": "9007199254740991", "-9007199254740991": "-9007199254740991", "9007199254740991.0": "9007199254740991", "900719925474099.1e1": "9007199254740991",
		"9007199254740992": "", "-9007199254740992": "", "9007199254740993": "", "1e16": "", "1e400": "", "1e99999999999999999999": "", "1e-99999999999999999999": "",
		"0." + strings.Repeat("0", 100000) + "1e100001": "1", "1" + strings.Repeat("0", 100000) + "e-100000": "1",
	} {
		got, ok := integerText(number)
		if got != want || ok != (want != "") {
			t.Errorf("%.40s: %q, %v; want %q", number, got, ok, want)
		}
	}
}

// FuzzIntegerText holds the moving of digits against exact arithmetic.
func FuzzIntegerText(f *testing.F) {
	for _, s := range []string{"42", "-0.0", "1e2", "12.50e1", "100e-2", "9007199254740991", "9007199254740992", "1e15", "1e-300", "0.5"} {
		f.Add(s)
	}
	limit := big.NewInt(1<<53 - 1)
	f.Fuzz(func(t *testing.T, number string) {
		if !json.Valid([]byte(number)) || len(number) > 400 || !strings.ContainsAny(number[:1], "-0123456789") || strings.TrimSpace(number) != number {
			return
		}
		if e := strings.IndexAny(number, "eE"); e >= 0 && len(number)-e > 5 {
			return // too much work for the oracle
		}
		exact, ok := new(big.Rat).SetString(number)
		if !ok {
			return
		}
		want := ""
		if exact.IsInt() && exact.Num().CmpAbs(limit) <= 0 {
			want = exact.Num().String()
		}
		if got, ok := integerText(number); got != want || ok != (want != "") {
			t.Fatalf("%s: %q, want %q", number, got, want)
		}
	})
}
