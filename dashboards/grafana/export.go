package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// BoardsPath is where a Grafana that is provisioned from the exported files finds the boards.
const BoardsPath = "/etc/grafana/provisioning/boards"

// Export writes what Grafana provisions itself from into dir: dashboards/feige.yaml, boards/*.json, and
// alerting/feige.yaml. They belong at /etc/grafana/provisioning. The data source has a file of its own beside them. It
// returns the files that it wrote.
func (p *Provisioner) Export(dir string) ([]string, error) {
	files := map[string][]byte{}
	var order []string
	add := func(name string, data []byte) { files[name] = data; order = append(order, name) }
	provider := map[string]any{
		"apiVersion": 1,
		"providers": []any{map[string]any{
			"name": p.cfg.Prefix, "folder": p.cfg.Folder, "folderUid": p.folder, "type": "file", "disableDeletion": true, "allowUiUpdates": false,
			"options": map[string]any{"path": BoardsPath},
		}},
	}
	text, err := document("Where the boards are. Written by feige dashboards export.", provider)
	if err != nil {
		return nil, err
	}
	add("dashboards/feige.yaml", text)
	for _, board := range p.builder.Boards() {
		data, err := json.MarshalIndent(board, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("board %s: %w", board.UID, err)
		}
		add("boards/"+board.UID+".json", append(data, '\n'))
	}
	if text, err = document("The alert rules. Written by feige dashboards export.", p.alerting()); err != nil {
		return nil, err
	}
	add("alerting/feige.yaml", text)
	for _, name := range order {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // boards hold no secrets, and Grafana runs as another user
			return nil, fmt.Errorf("export: %w", err)
		}
	}
	return order, nil
}

func (p *Provisioner) alerting() map[string]any {
	group := p.builder.alertRules(p.folder)
	var rules []any
	for _, r := range group.Rules {
		// Grafana puts variables and $NAME of its environment into these files: a $ is written twice.
		rules = append(rules, escapeDollars(map[string]any{
			"uid": r.UID, "title": r.Title, "condition": r.Condition, "for": r.For, "data": normal(r.Data),
			"labels": normal(r.Labels), "annotations": normal(r.Annotations), "noDataState": string(r.NoDataState), "execErrState": string(r.ExecErrState),
		}))
	}
	return map[string]any{
		"apiVersion": 1,
		"groups": []any{map[string]any{
			"orgId": 1, "name": group.Title, "folder": p.cfg.Folder, "interval": fmt.Sprintf("%ds", alertInterval), "rules": rules,
		}},
	}
}

func escapeDollars(v any) any {
	switch x := v.(type) {
	case string:
		return doubled(x)
	case []any:
		for i := range x {
			x[i] = escapeDollars(x[i])
		}
	case map[string]any:
		for key := range x {
			x[key] = escapeDollars(x[key])
		}
	}
	return v
}

func doubled(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		out = append(out, text[i])
		if text[i] == '$' {
			out = append(out, '$')
		}
	}
	return string(out)
}

func document(comment string, v any) ([]byte, error) {
	data, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return append([]byte("# "+comment+"\n"), data...), nil
}
