package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// ReportKnobs shape reporting_createReport (PAYU S27).
type ReportKnobs struct {
	// Slow lets createReport take its time: Steps pauses of Pause, each followed by
	// a progress notification if the call asked for them. It can be cancelled.
	Slow bool
	// Steps is 9 when 0.
	Steps int
	// Pause is 10 s when 0. It is waited for in real time, not on Options.Now.
	Pause time.Duration
}

const (
	firstReport  = 12345
	reportURLFor = 5 * time.Minute
)

// reports holds the reports. Its zero value is ready.
type reports struct {
	mu  sync.Mutex
	all []*report
}

type report struct {
	id, service, mid string
	polls            int
	until            time.Time // of the download link; zero: not ready
}

func (r *reports) create(service, mid string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := fmt.Sprintf("RPT-%d", firstReport+len(r.all))
	r.all = append(r.all, &report{id: id, service: service, mid: mid})
	return id
}

// poll counts a look at a report of mid; the second finds it ready.
func (r *reports) poll(id, mid string, now time.Time) (_ report, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.all, func(o *report) bool { return o.id == id && o.mid == mid })
	if i < 0 {
		return report{}, false
	}
	p := r.all[i]
	p.polls++
	if p.polls > 1 {
		p.until = now.Add(reportURLFor)
	}
	return *p, true
}

func reportTools() []tool {
	return []tool{
		{
			name: "reporting_createReport", title: "Create report", write: true, needsMerchant: true,
			description: "Create a report of transactions, settlements, refunds or payouts. Poll reporting_getReport for the result.",
			schema: `{"type":"object","properties":{"service":{"type":"string","enum":["transactions","settlements","refunds","payouts"]},` +
				`"filters":{"type":"object","properties":{"dateFrom":{"type":"string","description":"YYYY-MM-DD HH:MM:SS"},` +
				`"dateTo":{"type":"string","description":"YYYY-MM-DD HH:MM:SS"}},"required":["dateFrom","dateTo"]},` +
				`"fields":{"type":"array","items":{"type":"string"}}},"required":["service","filters"]}`,
			run: runCreateReport,
		},
		{
			name: "reporting_getReport", title: "Get report", needsMerchant: true,
			description: "Tell whether a report is ready, and where to download it as CSV.",
			schema:      `{"type":"object","properties":{"reportId":{"type":"string"}},"required":["reportId"]}`,
			run:         runGetReport,
		},
	}
}

func runCreateReport(ctx context.Context, s *Sandbox, c *call) outcome {
	var p struct {
		Service string `json:"service"`
		Filters struct {
			From string `json:"dateFrom"`
			To   string `json:"dateTo"`
		} `json:"filters"`
	}
	if json.Unmarshal(c.arguments, &p) != nil || !slices.Contains([]string{"transactions", "settlements", "refunds", "payouts"}, p.Service) {
		return outcome{err: &rpcError{codeParams, "Invalid params: unknown service"}}
	}
	from, errFrom := time.Parse(time.DateTime, p.Filters.From)
	to, errTo := time.Parse(time.DateTime, p.Filters.To)
	if errFrom != nil || errTo != nil || to.Before(from) {
		return outcome{err: &rpcError{codeParams, "Invalid params: dateFrom and dateTo are YYYY-MM-DD HH:MM:SS"}}
	}
	if c.knobs.Report.Slow && !c.knobs.Report.work(ctx, c) {
		return outcome{} // cancelled or closed
	}
	id := s.gateway.reports.create(p.Service, c.merchant.MID)
	return outcome{text: string(marshal(map[string]any{"reportId": id, "status": "processing", "service": p.Service}))}
}

// work takes its time and tells whether it came to the end.
func (k ReportKnobs) work(ctx context.Context, c *call) bool {
	steps, pause := k.Steps, k.Pause
	if steps == 0 {
		steps = 9
	}
	if pause == 0 {
		pause = 10 * time.Second
	}
	t := time.NewTicker(pause)
	defer t.Stop()
	for i := range steps {
		select {
		case <-t.C:
			c.progress(i+1, steps, fmt.Sprintf("Report: part %d of %d", i+1, steps))
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func runGetReport(_ context.Context, s *Sandbox, c *call) outcome {
	var p struct {
		ID string `json:"reportId"`
	}
	_ = json.Unmarshal(c.arguments, &p) // an unreadable id is an unknown one
	r, found := s.gateway.reports.poll(p.ID, c.merchant.MID, s.now())
	if !found {
		return outcome{text: "Report not found: " + p.ID, isError: true}
	}
	answer := map[string]any{"reportId": r.id, "status": "processing"}
	if !r.until.IsZero() {
		answer["status"] = "ready"
		answer["downloadUrl"] = s.resourceName() + "/reports/" + r.id + ".csv"
		answer["validUntil"] = r.until.UTC().Format(time.RFC3339)
	}
	return outcome{text: string(marshal(answer))}
}

// downloadReport is RS GET /reports/RPT-nnn.csv: good for some minutes after the
// report was found ready.
func (s *Sandbox) downloadReport(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".csv")
	until := s.gateway.reports.linkUntil(id)
	switch {
	case until.IsZero():
		http.NotFound(w, r)
	case !s.now().Before(until):
		http.Error(w, "the link has expired", http.StatusGone)
	default:
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write([]byte("id,amount,status\n1,2.00,captured\n"))
	}
}

func (r *reports) linkUntil(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.all {
		if o.id == id {
			return o.until
		}
	}
	return time.Time{}
}
