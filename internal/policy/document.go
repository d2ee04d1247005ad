package policy

// document is a policy file as written: the shape that schema.json describes. Rendering writes it back.
type document struct {
	TimeZone string       `json:"time_zone"`
	Versions []versionDoc `json:"versions"`
}

type versionDoc struct {
	Version       string `json:"version"`
	EffectiveFrom string `json:"effective_from"`

	Reception struct {
		WorkingHours             []string     `json:"working_hours"`
		UnrepliedLimit           int          `json:"unreplied_limit"`
		Unit                     Unit         `json:"unit"`
		ManualReplyKinds         []string     `json:"manual_reply_kinds"`
		SameConsumerClearedBy    ClearedBy    `json:"same_consumer_cleared_by"`
		AcrossConsumersClearedBy ClearedBy    `json:"across_consumers_cleared_by"`
		OutsideHours             OutsideHours `json:"outside_hours"`
		HandBack                 HandBack     `json:"hand_back"`
		ResumeClearsCounts       bool         `json:"resume_clears_counts"`
	} `json:"reception"`

	Conversation struct {
		RoundExpiry string `json:"round_expiry"`
		LifeLapse   string `json:"life_lapse"`
	} `json:"conversation"`

	Assessment struct {
		AssessedTime       []string      `json:"assessed_time"`
		Period             string        `json:"period"`
		ResponseLimit      string        `json:"response_limit"`
		Definition         string        `json:"definition"`
		DissatisfiedScores []int32       `json:"dissatisfied_scores"`
		Checkpoints        []string      `json:"checkpoints"`
		Standards          []standardDoc `json:"standards"`
		Restrictions       []string      `json:"restrictions"`
		RestrictedFor      string        `json:"restricted_for"`
	} `json:"assessment"`

	Messages struct {
		TextLimit string `json:"text_limit"`
		ClockSkew string `json:"clock_skew"`
	} `json:"messages"`

	Confidentiality struct {
		AuditedReaders Readers `json:"audited_readers"`
	} `json:"confidentiality"`

	Accounts struct {
		NewAfter          string   `json:"new_after"`
		ChangeWithin      string   `json:"change_within"`
		NetworksAtOnce    int      `json:"networks_at_once"`
		IPv4NetworkBits   int      `json:"ipv4_network_bits"`
		IPv6NetworkBits   int      `json:"ipv6_network_bits"`
		AuthorisedClients []string `json:"authorised_clients"`
	} `json:"accounts"`

	Violations struct {
		MerchantRules merchantRulesDoc `json:"merchant_rules"`
		Categories    categoriesDoc    `json:"categories"`
	} `json:"violations"`

	Detection struct {
		PermittedLinkDomains []string `json:"permitted_link_domains"`
		RepeatedAd           struct {
			Copies     int     `json:"copies"`
			Within     string  `json:"within"`
			Similarity float64 `json:"similarity"`
		} `json:"repeated_ad"`
		MaliciousBlock struct {
			SoonAfter        string  `json:"soon_after"`
			TimesPeerRate    float64 `json:"times_peer_rate"`
			MinConversations int64   `json:"min_conversations"`
		} `json:"malicious_block"`
	} `json:"detection"`

	Verification struct {
		Appeals []string `json:"appeals"`
	} `json:"verification"`

	Penalties struct {
		SeveralRules string `json:"several_rules"`
		Consumer     struct {
			Shield        bool     `json:"shield"`
			Mutes         []string `json:"mutes"`
			BanCategories []string `json:"ban_categories"`
			BanOnLoss     bool     `json:"ban_on_loss"`
		} `json:"consumer"`
		Merchant struct {
			Shield            bool           `json:"shield"`
			FlagOrders        bool           `json:"flag_orders"`
			PointsExpireAfter string         `json:"points_expire_after"`
			Milestones        []milestoneDoc `json:"milestones"`
		} `json:"merchant"`
	} `json:"penalties"`
}

type standardDoc struct {
	Indicator  string  `json:"indicator"`
	Comparison string  `json:"comparison"`
	Value      float64 `json:"value"`
	MinSamples int64   `json:"min_samples"`
}

type milestoneDoc struct {
	Points       int      `json:"points"`
	Restrictions []string `json:"restrictions"`
	For          string   `json:"for"`
}

// The order of fields is the order of a rendered file.
type merchantRulesDoc struct {
	Spam            ruleDoc `json:"spam"`
	Harassment      ruleDoc `json:"harassment"`
	Prohibited      ruleDoc `json:"prohibited"`
	TransactionFlow ruleDoc `json:"transaction_flow"`
}

type ruleDoc struct {
	Name   string `json:"name"`
	Points struct {
		Low    int `json:"low"`
		Medium int `json:"medium"`
		High   int `json:"high"`
	} `json:"points"`
}

type categoriesDoc struct {
	ThirdPartyInfo categoryDoc `json:"third_party_info"`
	Abuse          categoryDoc `json:"abuse"`
	Political      categoryDoc `json:"political"`
	Obscene        categoryDoc `json:"obscene"`
	Spam           categoryDoc `json:"spam"`
	Fraud          categoryDoc `json:"fraud"`
	MaliciousBlock categoryDoc `json:"malicious_block"`
	MaliciousClaim categoryDoc `json:"malicious_claim"`
	Misuse         categoryDoc `json:"misuse"`
}

type categoryDoc struct {
	Paragraph   string            `json:"paragraph"`
	Sides       []Side            `json:"sides"`
	AutoConfirm float64           `json:"auto_confirm"`
	Severity    Severity          `json:"severity"`
	Kinds       map[string]string `json:"kinds"`
}
