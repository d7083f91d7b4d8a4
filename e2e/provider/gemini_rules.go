package provider

import (
	"fmt"
	"strings"
)

// The rules below span several fields of a request, and some hold for some models
// only. Each returns what is wrong in Google's words, or nothing.

// geminiTurn is one element of contents.
type geminiTurn struct {
	role  string
	parts []map[string]any
}

func geminiContents(body map[string]any) []geminiTurn {
	var turns []geminiTurn
	for _, element := range body["contents"].([]any) {
		content := element.(map[string]any)
		turn := geminiTurn{role: content["role"].(string)}
		for _, part := range content["parts"].([]any) {
			turn.parts = append(turn.parts, part.(map[string]any))
		}
		turns = append(turns, turn)
	}
	return turns
}

// with are the turn's values of a field of its parts.
func (t geminiTurn) with(field string) []map[string]any {
	var all []map[string]any
	for _, part := range t.parts {
		if value, ok := part[field].(map[string]any); ok {
			all = append(all, value)
		}
	}
	return all
}

// geminiTurns checks that calls follow the user's turn or results, and that results
// follow their calls, as many of them and with their names.
func geminiTurns(_ string, body map[string]any) string {
	turns := geminiContents(body)
	if turns[0].role != "user" {
		return "Please ensure that multiturn requests begin with a user turn."
	}
	for i, turn := range turns {
		calls, results := turn.with("functionCall"), turn.with("functionResponse")
		if turn.role == "user" && len(calls) > 0 || turn.role == "model" && len(results) > 0 {
			return "Please use a valid role for function calls and function responses."
		}
		if len(calls) > 0 && turns[i-1].role != "user" {
			return "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
		}
		var open []map[string]any
		if i > 0 {
			open = turns[i-1].with("functionCall")
		}
		switch {
		case len(results) != len(open) && len(open) > 0:
			return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
		case len(results) > 0 && len(open) == 0:
			return "Please ensure that function response turn comes immediately after a function call turn."
		case len(results) > 0 && len(results) != len(turn.parts):
			return "Please ensure that a function response turn has no other parts."
		}
		for _, result := range results {
			if !geminiAnswers(result, open) {
				return fmt.Sprintf("The function response for %v answers no function call of the turn before.", result["name"])
			}
		}
	}
	return ""
}

func geminiAnswers(result map[string]any, calls []map[string]any) bool {
	for _, call := range calls {
		if call["name"] == result["name"] && (call["id"] == result["id"] || result["id"] == nil) {
			return true
		}
	}
	return false
}

func geminiToolRules(_ string, body map[string]any) string {
	names := map[any]bool{}
	tools, _ := body["tools"].([]any)
	searches := false
	for _, element := range tools {
		searches = searches || element.(map[string]any)["googleSearch"] != nil
		declarations, _ := element.(map[string]any)["functionDeclarations"].([]any)
		for _, element := range declarations {
			declaration := element.(map[string]any)
			name := declaration["name"]
			if names[name] {
				return fmt.Sprintf("Duplicate function declaration found: %v", name)
			}
			names[name] = true
			if declaration["parameters"] != nil && declaration["parametersJsonSchema"] != nil {
				return "Only one of parameters and parameters_json_schema can be set."
			}
		}
	}
	config, _ := body["toolConfig"].(map[string]any)
	calling, _ := config["functionCallingConfig"].(map[string]any)
	allowed, _ := calling["allowedFunctionNames"].([]any)
	switch {
	case searches && len(names) > 0:
		return "Built-in tools ({google_search}) and Function Calling cannot be combined in the same request."
	case calling != nil && len(names) == 0:
		return "Function calling config is set without function_declarations."
	case len(allowed) > 0 && calling["mode"] != "ANY" && calling["mode"] != "VALIDATED":
		return "Function calling config mode must be ANY or VALIDATED when allowed_function_names is set."
	}
	for _, name := range allowed {
		if !names[name] {
			return fmt.Sprintf("allowed_function_names contains %v, which is not declared.", name)
		}
	}
	return ""
}

func geminiConfig(body map[string]any) map[string]any {
	config, _ := body["generationConfig"].(map[string]any)
	return config
}

// geminiGeneration3 reports whether a model is of the generation that signs calls.
func geminiGeneration3(model string) bool { return strings.HasPrefix(model, "gemini-3") }

func geminiThinkingRules(model string, body map[string]any) string {
	thinking, _ := geminiConfig(body)["thinkingConfig"].(map[string]any)
	level, leveled := thinking["thinkingLevel"].(string)
	budget, budgeted := thinking["thinkingBudget"].(float64)
	pro := strings.Contains(model, "-pro")
	switch {
	case leveled && budgeted:
		return "You can only set only one of thinking budget and thinking level."
	case leveled && !geminiGeneration3(model):
		return "Thinking level is not supported for this model."
	case level == "minimal" && pro:
		return "Thinking level MINIMAL is not supported for this model."
	case budgeted && pro && budget >= 0 && budget < 128:
		return fmt.Sprintf("Budget %v is invalid. This model only works in thinking mode.", budget)
	case budgeted && !pro && budget > 24576:
		return fmt.Sprintf("The thinking budget %v is invalid. Please choose a value between 0 and 24576.", budget)
	}
	return ""
}

func geminiFormatRules(model string, body map[string]any) string {
	config := geminiConfig(body)
	tools, _ := body["tools"].([]any)
	switch {
	case config["responseJsonSchema"] != nil && config["responseMimeType"] != "application/json":
		return "response_json_schema is only supported with response_mime_type application/json."
	case config["responseMimeType"] == "application/json" && len(tools) > 0 && !geminiGeneration3(model):
		return "Function calling with a response mime type: 'application/json' is unsupported"
	}
	return ""
}

func geminiSamplingRules(model string, body map[string]any) string {
	for _, name := range []string{"presencePenalty", "frequencyPenalty"} {
		if geminiConfig(body)[name] != nil {
			return "Penalty is not enabled for models/" + model
		}
	}
	return ""
}

// geminiSkip is the signature that the API takes for any.
const geminiSkip = "skip_thought_signature_validator"

// geminiSignatures refuses signatures that are not this fake's, and calls without one
// where the model signs them: the first of each turn since the user last spoke.
func geminiSignatures(model string, body map[string]any) string {
	turns := geminiContents(body)
	current := true
	for i := len(turns) - 1; i >= 0; i-- {
		turn := turns[i]
		current = current && (turn.role == "model" || len(turn.with("functionResponse")) > 0)
		first := true
		for j, part := range turn.parts {
			call, calls := part["functionCall"].(map[string]any)
			signature, signed := part["thoughtSignature"].(string)
			switch {
			case signed && signature != geminiSkip && standardAlphabet(signature) != geminiSignature(part):
				return fmt.Sprintf("Thought signature is not valid at contents[%d].parts[%d].", i, j)
			case calls && first && current && !signed && geminiGeneration3(model):
				return fmt.Sprintf("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, "+
					"and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:%v`, position %d.", call["name"], j+1)
			}
			first = first && !calls
		}
	}
	return ""
}

// geminiSignature is what the fake signs a part with, and the only signature that it
// takes back there. Text is signed as such, as pieces of it may be joined.
func geminiSignature(part map[string]any) string {
	if call, ok := part["functionCall"].(map[string]any); ok {
		return Signature(fmt.Sprint(call["name"], encode(call["args"])))
	}
	return Signature("text")
}
