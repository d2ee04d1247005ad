package grafana

import (
	"fmt"
	"slices"

	gapi "github.com/grafana/grafana-api-golang-client"
)

// items are all things in the order in which they are made.
func (p *Provisioner) items(c *client) []item {
	items := []item{p.folderItem(c), p.sourceItem(c)}
	for _, board := range p.builder.Boards() {
		items = append(items, p.boardItem(c, board))
	}
	if contact := p.builder.contactPoint(p.cfg.Contact); contact != nil {
		items = append(items, contactItem(c, contact), routeItem(c, p.builder.route()))
	}
	return append(items, p.rulesItem(c))
}

// found turns "not found" into an answer.
func found(err error) (bool, error) {
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (p *Provisioner) folderItem(c *client) item {
	return item{
		kind: "folder", name: p.cfg.Folder,
		look: func() (bool, []string, error) {
			folder, err := c.FolderByUID(p.folder)
			ok, err := found(err)
			if !ok {
				return false, nil, err
			}
			return true, differences(map[string]any{"title": p.cfg.Folder}, map[string]any{"title": folder.Title}, true), nil
		},
		create: func() error { _, err := c.NewFolder(p.cfg.Folder, p.folder); return err },
		update: func() error { return c.UpdateFolder(p.folder, p.cfg.Folder) },
		remove: func() error { return c.DeleteFolder(p.folder, gapi.ForceDeleteFolderRules()) },
	}
}

func (p *Provisioner) sourceItem(c *client) item {
	var got *gapi.DataSource
	return item{
		kind: "data source", name: p.source.Name,
		look: func() (bool, []string, error) {
			var err error
			got, err = c.DataSourceByUID(p.source.UID)
			ok, err := found(err)
			if !ok {
				return false, nil, err
			}
			return true, differences(sourceView(p.source), sourceView(*got), false), nil
		},
		provided: func() bool { return got != nil && got.ReadOnly },
		create:   func() error { s := p.source; _, err := c.NewDataSource(&s); return err },
		update: func() error {
			s := p.source
			s.ID, s.IsDefault, s.Version = got.ID, got.IsDefault, got.Version
			return c.UpdateDataSourceByUID(&s)
		},
		remove: func() error { return c.DeleteDataSource(got.ID) },
	}
}

// sourceView is the part of a data source that is ours to set and Grafana's to tell.
func sourceView(s gapi.DataSource) map[string]any {
	return map[string]any{"name": s.Name, "type": s.Type, "access": s.Access, "jsonData": s.JSONData}
}

func (p *Provisioner) boardItem(c *client, board Dashboard) item {
	var meta gapi.DashboardMeta
	save := func() error {
		model, ok := normal(board).(map[string]any)
		if !ok {
			return fmt.Errorf("board %s is no JSON object", board.UID)
		}
		_, err := c.NewDashboard(gapi.Dashboard{Model: model, FolderUID: p.folder, Overwrite: true, Message: "feige dashboards apply"})
		return err
	}
	return item{
		kind: "board", name: board.Title,
		look: func() (bool, []string, error) {
			got, err := c.DashboardByUID(board.UID)
			ok, err := found(err)
			if !ok {
				return false, nil, err
			}
			meta = got.Meta
			model := got.Model
			// Grafana numbers boards and their versions itself.
			delete(model, "id")
			delete(model, "version")
			changes := differences(board, model, true)
			if meta.FolderUID != "" && meta.FolderUID != p.folder {
				changes = append(changes, fmt.Sprintf("folder: %s, want %s", meta.FolderUID, p.folder))
			}
			return true, changes, nil
		},
		create: save, update: save,
		remove: func() error { return c.DeleteDashboardByUID(board.UID) },
	}
}

func contactItem(c *client, contact *gapi.ContactPoint) item {
	return item{
		kind: "contact point", name: contact.Name,
		look: func() (bool, []string, error) {
			points, err := c.ContactPointsByName(contact.Name)
			if err != nil {
				return false, nil, err
			}
			i := slices.IndexFunc(points, func(p gapi.ContactPoint) bool { return p.UID == contact.UID })
			if i < 0 {
				return false, nil, nil
			}
			view := func(p gapi.ContactPoint) any {
				return map[string]any{"name": p.Name, "type": p.Type, "settings": p.Settings}
			}
			return true, differences(view(*contact), view(points[i]), false), nil
		},
		create: func() error { _, err := c.NewContactPoint(contact); return err },
		update: func() error { return c.UpdateContactPoint(contact) },
		remove: func() error { return c.DeleteContactPoint(contact.UID) },
	}
}

// routeItem is one branch of Grafana's tree of notification policies; the rest of the tree is left as it is.
func routeItem(c *client, route gapi.SpecificPolicy) item {
	var tree gapi.NotificationPolicyTree
	own := func(r gapi.SpecificPolicy) bool { return r.Receiver == route.Receiver }
	add := func() error {
		tree.Routes = append([]gapi.SpecificPolicy{route}, slices.DeleteFunc(tree.Routes, own)...)
		return c.SetNotificationPolicyTree(&tree)
	}
	return item{
		kind: "notification route", name: route.Receiver,
		look: func() (bool, []string, error) {
			var err error
			if tree, err = c.NotificationPolicyTree(); err != nil {
				return false, nil, err
			}
			i := slices.IndexFunc(tree.Routes, own)
			if i < 0 {
				return false, nil, nil
			}
			return true, differences(route, tree.Routes[i], false), nil
		},
		create: add, update: add,
		remove: func() error {
			tree.Routes = slices.DeleteFunc(tree.Routes, own)
			return c.SetNotificationPolicyTree(&tree)
		},
	}
}

func (p *Provisioner) rulesItem(c *client) item {
	group := p.builder.alertRules(p.folder)
	set := func() error { return c.SetAlertRuleGroup(group) }
	view := func(g gapi.RuleGroup) any {
		rules := map[string]any{}
		for _, r := range g.Rules {
			rules[r.UID] = map[string]any{
				"title": r.Title, "condition": r.Condition, "for": r.For, "data": r.Data, "labels": r.Labels, "annotations": r.Annotations,
				"noDataState": r.NoDataState, "execErrState": r.ExecErrState, "isPaused": r.IsPaused,
			}
		}
		return map[string]any{"interval": g.Interval, "rules": rules}
	}
	return item{
		kind: "alert rules", name: group.Title,
		look: func() (bool, []string, error) {
			got, err := c.AlertRuleGroup(p.folder, group.Title)
			ok, err := found(err)
			if !ok || len(got.Rules) == 0 {
				return false, nil, err
			}
			return true, differences(view(group), view(got), false), nil
		},
		create: set, update: set,
		remove: func() error {
			for _, rule := range group.Rules {
				if err := c.DeleteAlertRule(rule.UID); err != nil && !isNotFound(err) {
					return err
				}
			}
			return nil
		},
	}
}
