package main

type processorsCmd struct{}

func (processorsCmd) Run(a *app) error {
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
	set, err := r.settings.policySet()
	if err != nil {
		return err
	}
	services, err := r.parts().processors(set)
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.group.Add(services...)
	return r.group.Run(a.ctx)
}
