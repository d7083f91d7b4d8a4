package routing

import "github.com/switchyard/switchyard/policies/money"

// Constraints are what an endpoint must meet, whatever it costs to leave it out.
// The gateway's and a key's policy are constraints, and a request brings its own;
// they hold together and only ever tighten each other. The zero value admits all.
type Constraints struct {
	// Only and Ignore name providers by base slug, tag or display name (spec section
	// 2.1). A nil Only admits all, an empty one none; a request cannot say the latter.
	Only, Ignore []string
	// AllowedModels and IgnoredModels are patterns of model ids in which * stands for
	// any text. A nil AllowedModels admits all.
	AllowedModels, IgnoredModels []string
	// DenyDataCollection leaves only endpoints that neither store nor train, ZDR only
	// those that keep nothing, Distillable only models whose author allows that
	// answers train other models.
	DenyDataCollection, ZDR, Distillable bool
	// ZDRAuthors says the same as ZDR of the models of some authors; "other" are all that
	// are not named. NoFreeTraining leaves only endpoints that do not train of those that
	// cost nothing, NoPaidTraining of the others. They are for policies alone.
	ZDRAuthors                     map[string]bool
	NoFreeTraining, NoPaidTraining bool
	// Quantizations admits those of these names and of their families; nil all.
	Quantizations []string
	// MinQuantization is the coarsest quantization that is admitted, "" for any.
	MinQuantization string
	// Regions and Jurisdictions admit those of these names; nil all.
	Regions, Jurisdictions []string
	MaxPrice               MaxPrice
}

// MaxPrice bounds the prices of a token, a request, an image and an audio token.
// Nil is no bound; a price equal to the bound is within it.
type MaxPrice struct {
	Prompt, Completion, Request, Image, Audio *money.USD
}

// Preferences are what a request says of who shall answer: its `provider` object
// (spec section 2.1), with `route` and `plugins`.
type Preferences struct {
	Constraints
	// Order is tried first, in this order.
	Order []string
	// NoFallbacks: without Order only the first endpoint is tried, with it only those
	// that it names.
	NoFallbacks bool
	// RequireParameters: the endpoint takes every parameter of the request.
	RequireParameters bool
	Sort              Sort
	// Global sorts the endpoints of all models together (partition "none").
	Global bool
	// MinThroughput is in tokens per second and MaxLatency in seconds to the first
	// token. Endpoints that miss one go behind the others. Zero is no threshold.
	MinThroughput, MaxLatency Thresholds
	// Web: the web plugin is on.
	Web bool
	// Auto and Pareto are the options of the routers of these names.
	Auto   AutoRouter
	Pareto ParetoRouter
	// Compression: a prompt that does not fit an endpoint's context loses its middle
	// (plugin context-compression).
	Compression Switch
	// Healing: an answer that shall be JSON and nearly is gets repaired (plugin
	// response-healing).
	Healing bool
}

// Switch is what a request says of something that is on or off.
type Switch uint8

// The positions of a switch.
const (
	Unset Switch = iota // the gateway's default holds
	On
	Off
)

func switched(on bool) Switch {
	if on {
		return On
	}
	return Off
}

// Sort is an order of endpoints; "" is balancing by price.
type Sort string

// The orders that a client may ask for.
const (
	SortPrice      Sort = "price"
	SortThroughput Sort = "throughput"
	SortLatency    Sort = "latency"
	SortExacto     Sort = "exacto"
)

// Thresholds are bounds of percentiles; all that are not zero must be met.
type Thresholds struct{ P50, P75, P90, P99 float64 }

// AutoRouter are the options of openrouter/auto (spec section 3.5).
type AutoRouter struct {
	// Allowed and Excluded are patterns of model ids; excluded wins. Nil allows all.
	Allowed, Excluded []string
	// CostTier is "low", "medium", "high", "xhigh", "max" or "".
	CostTier string
	// PinModel keeps the model of the latest assistant message.
	PinModel bool
}

// ParetoRouter are the options of openrouter/pareto-code (spec section 3.5). They are
// checked only: the catalog has no coding scores to choose by, and [Build] says so.
type ParetoRouter struct {
	// MinCodingScore is from 0 to 1.
	MinCodingScore float64
	MaxPrice       *money.USD
}
