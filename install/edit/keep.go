package edit

import (
	_ "go.yaml.in/yaml/v3"
)
