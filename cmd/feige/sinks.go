package main

type sinksCmd struct{}

func (sinksCmd) Run(a *app) error {
	r, err := a.newProcess()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(); err != nil {
		return err
	}
	if err := r.settings.pingKafka(a.ctx); err != nil {
		return err
	}
	conn, err := r.settings.openWarehouse(a.ctx, r.settings.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	sink, err := r.parts().sink(conn)
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.checks.Register("clickhouse", conn.Ping)
	r.group.Add(sink)
	return r.group.Run(a.ctx)
}
