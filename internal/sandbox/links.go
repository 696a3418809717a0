package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

const firstInvoice = 7711514022032

// links holds the payment links per merchant. Its zero value is ready.
type links struct {
	mu   sync.Mutex
	all  map[linkKey]*link
	runs map[[2]string]int // by tool and invoice
	made int
}

type linkKey struct{ mid, invoice string }

type link struct {
	amount                      json.Number
	description, expiry, status string
	url                         string
	created                     time.Time
	emailStatus, smsStatus      string
	customerName, customerEmail string
	customerPhone               string
	partial                     bool
}

// Executions counts how often a payment link tool ran for an invoice number,
// refusals such as a duplicate included: nothing may run twice by our doing.
func (s *Sandbox) Executions(tool, invoice string) int {
	l := &s.gateway.links
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs[[2]string{tool, invoice}]
}

// count notes a run; mu is held.
func (l *links) count(tool, invoice string) {
	if l.runs == nil {
		l.runs, l.all = map[[2]string]int{}, map[linkKey]*link{}
	}
	l.runs[[2]string{tool, invoice}]++
}

// linkArguments are those of all four tools.
type linkArguments struct {
	Invoice       string      `json:"invoiceNumber"`
	Amount        json.Number `json:"amount"`
	SubAmount     json.Number `json:"subAmount"`
	Description   string      `json:"description"`
	Expiry        string      `json:"expiryDate"`
	Status        string      `json:"status"`
	Partial       bool        `json:"isPartialPaymentAllowed"`
	CustomerName  string      `json:"customerName"`
	CustomerEmail string      `json:"customerEmail"`
	CustomerPhone string      `json:"customerPhone"`
	Channels      []struct {
		Type    string `json:"type"`
		Address string `json:"address"`
	} `json:"channels"`
	Details bool `json:"paymentDetailsRequired"`
}

// withLink decodes the arguments, counts the run and runs f with the links
// locked. The link is nil when the invoice is unknown.
func withLink(s *Sandbox, c *call, f func(*linkArguments, *link) outcome) outcome {
	var a linkArguments
	if c.arguments != nil && json.Unmarshal(c.arguments, &a) != nil {
		return outcome{err: &rpcError{codeParams, "Invalid params"}}
	}
	l := &s.gateway.links
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Invoice == "" && c.name == toolCreateLink {
		a.Invoice = fmt.Sprintf("INV%d", firstInvoice+l.made)
	}
	l.count(c.name, a.Invoice)
	return f(&a, l.all[linkKey{c.merchant.MID, a.Invoice}])
}

// refused is PayU's refusal: a result with status -1 (PAYU section 2).
func refused(text string) outcome {
	return outcome{text: string(marshal(linkAnswer{Status: -1, Message: text})), isError: true}
}

// linkAnswer is the frame of PayU's payment link API.
type linkAnswer struct {
	Status    int     `json:"status"`
	Message   string  `json:"message"`
	Result    any     `json:"result"`
	ErrorCode *string `json:"errorCode"`
	GUID      *string `json:"guid"`
}

func done(text string, result any) outcome {
	return outcome{text: string(marshal(linkAnswer{Message: text, Result: result}))}
}

func runCreateLink(_ context.Context, s *Sandbox, c *call) outcome {
	return withLink(s, c, func(a *linkArguments, known *link) outcome {
		amount := a.SubAmount
		if amount == "" {
			amount = a.Amount
		}
		if v, err := amount.Float64(); err != nil || v <= 0 {
			return refused("Please enter a valid amount.")
		}
		if known != nil {
			return refused("Invoice Number already exists. Please enter new invoice number.")
		}
		l := &s.gateway.links
		l.made++
		if a.Expiry == "" {
			a.Expiry = s.now().In(indianTime()).AddDate(0, 0, 7).Format(time.DateTime)
		}
		n := &link{
			amount: amount, description: a.Description, expiry: a.Expiry, status: "active", partial: a.Partial,
			url: fmt.Sprintf("%s/pay/%s", s.resourceName(), a.Invoice), created: s.now(), emailStatus: "not opted", smsStatus: "not opted",
			customerName: a.CustomerName, customerEmail: a.CustomerEmail, customerPhone: a.CustomerPhone,
		}
		l.all[linkKey{c.merchant.MID, a.Invoice}] = n
		return done("paymentLink generated", n.show(a.Invoice))
	})
}

// indianTime is PayU's clock (PAYU P26).
func indianTime() *time.Location { return time.FixedZone("IST", 5*60*60+30*60) }

func (l *link) show(invoice string) map[string]any {
	return map[string]any{
		"subAmount": l.amount, "tax": 0, "shippingCharge": 0, "totalAmount": l.amount, "invoiceNumber": invoice,
		"paymentLink": l.url, "description": l.description, "active": l.status == "active", "isPartialPaymentAllowed": l.partial,
		"expiryDate": l.expiry, "udf": map[string]any{}, "address": map[string]any{},
		"emailStatus": l.emailStatus, "smsStatus": l.smsStatus,
	}
}

func runGetLink(_ context.Context, s *Sandbox, c *call) outcome {
	return withLink(s, c, func(a *linkArguments, l *link) outcome {
		if l == nil {
			return refused("paymentLink not found")
		}
		r := l.show(a.Invoice)
		r["status"] = l.status
		r["customerName"], r["customerEmail"], r["customerPhone"] = l.customerName, l.customerEmail, l.customerPhone
		r["createdOn"] = l.created.In(indianTime()).Format("2006-01-02T15:04:05.000-0700")
		r["totalAmountCollected"] = 0
		r["summary"] = map[string]any{"amountRequested": l.amount, "totalRevenue": 0, "totalViews": 0}
		if a.Details {
			r["payments"] = []any{}
		}
		return done("paymentLink found", r)
	})
}

func runUpdateLink(_ context.Context, s *Sandbox, c *call) outcome {
	return withLink(s, c, func(a *linkArguments, l *link) outcome {
		if l == nil {
			return refused("paymentLink not found")
		}
		for to, v := range map[*string]string{&l.description: a.Description, &l.status: a.Status, &l.expiry: a.Expiry} {
			if v != "" {
				*to = v
			}
		}
		return done("paymentLink updated", l.show(a.Invoice))
	})
}

func runSendLink(_ context.Context, s *Sandbox, c *call) outcome {
	return withLink(s, c, func(a *linkArguments, l *link) outcome {
		if l == nil {
			return refused("paymentLink not found")
		}
		if len(a.Channels) == 0 {
			return refused("Please choose a channel.")
		}
		for _, ch := range a.Channels {
			switch ch.Type {
			case "email":
				l.emailStatus = "sent"
			case "sms":
				l.smsStatus = "sent"
			default:
				return refused("Unknown channel.")
			}
		}
		return done("paymentLink sent", l.show(a.Invoice))
	})
}
