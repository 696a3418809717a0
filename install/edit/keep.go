package edit

import (
	_ "github.com/pelletier/go-toml/v2"
	_ "go.yaml.in/yaml/v3"
)
