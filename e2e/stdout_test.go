package e2e

import "testing"

func TestHarness_wellFormed_refusesWhatIsNoMessage(t *testing.T) {
	t.Parallel()
	for line, fine := range map[string]bool{
		`{"jsonrpc":"2.0","id":1,"result":{}}`:          true,
		`{"jsonrpc":"2.0","id":"a","error":{"code":1}}`: true,
		`{"jsonrpc":"2.0","method":"notifications/x"}`:  true,
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`:      true,
		`Opening browser`:          false,
		``:                         false,
		`{"jsonrpc":"2.0","id":1}`: false,
		`{"id":1,"result":{}}`:     false,
		`{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`:  false,
		`{"jsonrpc":"2.0","id":1,"result":{}} {"more": 1}`: false,
	} {
		if _, err := wellFormed([]byte(line)); (err == nil) != fine {
			t.Errorf("%s: %v", line, err)
		}
	}
}
