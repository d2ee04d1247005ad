// Package grafana makes Grafana's boards, alert rules, and data source from dashboards/queries, and brings them
// to a Grafana (10 or later): Provisioner applies, compares, and deletes; Export writes the files that a Grafana
// provisions itself from. The model holds just those fields of Grafana's JSON that the boards need.
//
// It must not know what a figure means, nor hold SQL of its own but for the lists of the variables.
package grafana
