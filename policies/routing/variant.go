package routing

import "strings"

// The service tiers that requests ask for by name.
const (
	tierFlex     = "flex"
	tierPriority = "priority"
)

// variant is what a dynamic suffix of a model id asks for (spec section 3.4). The
// static ones (":free", ":extended", ":thinking") are models of their own.
type variant struct {
	sort Sort
	// tier is a service tier whose endpoints may serve, beside the default one.
	tier string
	web  bool
	// alias: the id stands for whatever model is behind it now, so that what this one
	// does not know is brought near to what it does.
	alias bool
}

// cutVariant cuts the last suffix off an id if it is a dynamic one.
func cutVariant(id string) (base string, v variant, ok bool) {
	at := strings.LastIndexByte(id, ':')
	if at < 0 {
		return id, variant{}, false
	}
	switch id[at+1:] {
	case "nitro":
		v = variant{sort: SortThroughput, tier: tierPriority}
	case "floor":
		v = variant{sort: SortPrice, tier: tierFlex}
	case "exacto":
		v = variant{sort: SortExacto}
	case "online":
		v = variant{web: true}
	default:
		return id, variant{}, false
	}
	return id[:at], v, true
}

// BaseModel is a model's id without dynamic suffixes.
func BaseModel(id string) string {
	for {
		base, _, ok := cutVariant(id)
		if !ok {
			return id
		}
		id = base
	}
}

// over stacks a suffix on those that stand before it: the last sort counts.
func (v variant) over(inner variant) variant {
	if v.sort == "" {
		v.sort, v.tier = inner.sort, inner.tier
	}
	v.web = v.web || inner.web
	v.alias = v.alias || inner.alias
	return v
}
