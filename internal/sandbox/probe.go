package sandbox

import (
	"context"
	"encoding/json"
	"strings"
)

// The fidelity probe (PAYU S31), listed with ToolKnobs.Probe.
const (
	// FidelityTool answers with FidelityResult; with an argument size of n > 0, up
	// to 64 MiB, with a text of n letters x instead.
	FidelityTool = "fidelity_probe"
	// ForeignNameTool is the same under a name that is not ASCII.
	ForeignNameTool = "जाँच_₹"
	// FidelityResult is the result, byte for byte: integers above 2^53, 1.0, escapes,
	// unknown members, odd order and an unknown content type.
	FidelityResult = `{"zeta":9007199254740993,"content":[{"text":"\u20b9 \/ \ud83d\ude00 é <>&\u2028","type":"text"},` +
		`{"type":"x-unknown","n":1.0,"e":1E+2,"big":123456789012345678901234567890}],"alpha":-0.0,"_meta":{"in.payu/x":null,"dup":[]},"isError":false}`
)

func probeTools() []tool {
	const schema = `{"type":"object","properties":{"size":{"type":"integer","minimum":0}}}`
	const description = "Answer with bytes that a careless relay changes."
	return []tool{
		{name: FidelityTool, title: "Fidelity probe", description: description, schema: schema, run: runProbe},
		{name: ForeignNameTool, title: "Fidelity probe ₹", description: description, schema: schema, run: runProbe},
	}
}

func runProbe(_ context.Context, _ *Sandbox, c *call) outcome {
	const limit = 64 << 20
	var p struct {
		Size int `json:"size"`
	}
	_ = json.Unmarshal(c.arguments, &p) // the probe takes any arguments
	if p.Size > 0 && p.Size <= limit {
		return outcome{text: strings.Repeat("x", p.Size)}
	}
	return outcome{raw: []byte(FidelityResult)}
}
