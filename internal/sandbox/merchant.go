package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	selectionLife = time.Hour // PAYU P14
	textSelect    = "Error: Merchant selection required. You have multiple merchant accounts.\nPlease select which account to use."
)

// SelectionCarrier is what carries "Merchant selection required" (PAYU E11).
type SelectionCarrier int

// The carriers.
const (
	CarrierResult SelectionCarrier = iota // a result with isError
	CarrierParams                         // JSON-RPC error -32602
	CarrierFault                          // JSON-RPC error -32603
)

// MerchantKnobs shape the merchant selection (PAYU S25).
type MerchantKnobs struct {
	Carrier SelectionCarrier
	// PerGrant keeps one selection per sign-in instead of per user (PAYU U10).
	PerGrant bool
}

func (k MerchantKnobs) ask() outcome {
	switch k.Carrier {
	case CarrierParams:
		return outcome{err: &rpcError{codeParams, textSelect}}
	case CarrierFault:
		return outcome{err: &rpcError{codeFault, textSelect}}
	case CarrierResult:
	}
	return outcome{text: textSelect, isError: true}
}

// merchants holds the selections. Its zero value is ready.
type merchants struct {
	mu     sync.Mutex
	chosen map[string]selection
}

type selection struct {
	merchant Merchant
	until    time.Time
}

func (s *Sandbox) merchantKey(c *call) string {
	if c.knobs.Merchant.PerGrant {
		return fmt.Sprintf("grant %d", c.who.grant)
	}
	return "user " + c.who.user.id
}

// selected returns the account in force: the only one, or the one chosen less
// than an hour ago.
func (m *merchants) selected(key string, u user, now time.Time) (Merchant, bool) {
	if len(u.merchants) == 1 {
		return u.merchants[0], true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.chosen[key]
	return c.merchant, ok && now.Before(c.until)
}

func (m *merchants) choose(key string, to Merchant, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chosen == nil {
		m.chosen = map[string]selection{}
	}
	m.chosen[key] = selection{to, until}
}

func (m *merchants) clear(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.chosen, key)
}

func merchantTools() []tool {
	return []tool{
		{
			name: "list_available_team_accounts", title: "List merchant accounts",
			description: "List the merchant accounts that you may use.", schema: noArguments, run: runAccounts,
		},
		{
			name: "get_current_team_account", title: "Current merchant account",
			description: "Tell which merchant account is selected.", schema: noArguments, needsMerchant: true, run: runCurrent,
		},
		{
			name: "switch_team_account", title: "Switch merchant account", write: true,
			description: "Select the merchant account for the next operations. The selection holds for one hour.",
			schema: `{"type":"object","properties":{"identifier":{"type":"string","description":"Merchant id (MID) of the account"}},` +
				`"required":["identifier"],"additionalProperties":false}`,
			run: runSwitch,
		},
		{
			name: "clear_team_selection", title: "Clear merchant selection", write: true,
			description: "Forget which merchant account is selected.", schema: noArguments, run: runClear,
		},
	}
}

func runAccounts(_ context.Context, _ *Sandbox, c *call) outcome {
	lines := make([]string, 0, len(c.who.user.merchants))
	for i, m := range c.who.user.merchants {
		lines = append(lines, fmt.Sprintf("[%d] %s (MID: %s)", i+1, m.Name, m.MID))
	}
	return outcome{text: strings.Join(lines, "\n")}
}

func runCurrent(_ context.Context, _ *Sandbox, c *call) outcome {
	return outcome{text: fmt.Sprintf("You are currently using merchant account %s (%s).", c.merchant.MID, c.merchant.Name)}
}

func runSwitch(_ context.Context, s *Sandbox, c *call) outcome {
	var p struct {
		Identifier string `json:"identifier"`
	}
	if json.Unmarshal(c.arguments, &p) != nil || p.Identifier == "" {
		return outcome{err: &rpcError{codeParams, "Invalid params: identifier is required"}}
	}
	i := slices.IndexFunc(c.who.user.merchants, func(m Merchant) bool { return m.MID == p.Identifier })
	if i < 0 {
		return outcome{text: "Permission denied", isError: true}
	}
	m := c.who.user.merchants[i]
	s.gateway.merchants.choose(s.merchantKey(c), m, s.now().Add(selectionLife))
	return outcome{text: fmt.Sprintf("Successfully switched to %s (MID: %s)", m.Name, m.MID)}
}

func runClear(_ context.Context, s *Sandbox, c *call) outcome {
	s.gateway.merchants.clear(s.merchantKey(c))
	return outcome{text: "Your merchant selection has been cleared. Please select a merchant account for your next operation."}
}
