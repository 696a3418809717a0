package edit

type tomlFormat struct{}

func (tomlFormat) parse(text []byte) (*node, error) { return nil, refused(0, "TOML: not yet") }
func (tomlFormat) set([]byte, Place, *node) ([]byte, error) {
	return nil, refused(0, "TOML: not yet")
}
func (tomlFormat) remove([]byte, Place) ([]byte, error) { return nil, refused(0, "TOML: not yet") }
