package gemini

import "github.com/go-json-experiment/json/jsontext"

// The request of POST /models/{model}:generateContent. Pointers and absent values
// are left out; nothing is sent that the client did not ask for.

type request struct {
	Contents          []content        `json:"contents"`
	SystemInstruction *content         `json:"systemInstruction,omitzero"`
	Tools             []tool           `json:"tools,omitzero"`
	ToolConfig        *toolConfig      `json:"toolConfig,omitzero"`
	SafetySettings    jsontext.Value   `json:"safetySettings,omitzero"`
	GenerationConfig  generationConfig `json:"generationConfig,omitzero"`
	ServiceTier       string           `json:"serviceTier,omitzero"`
	Labels            jsontext.Value   `json:"labels,omitzero"` // on Vertex AI
}

// content is a turn.
type content struct {
	Role  string `json:"role,omitzero"` // "user" or "model"; none for instructions
	Parts []part `json:"parts"`
}

// part is a piece of a turn, of any kind: the fields of the others stay zero.
type part struct {
	Text             *string           `json:"text,omitzero"`
	Thought          bool              `json:"thought,omitzero"`
	InlineData       *inlineData       `json:"inlineData,omitzero"`
	FileData         *fileData         `json:"fileData,omitzero"`
	FunctionCall     *functionCall     `json:"functionCall,omitzero"`
	FunctionResponse *functionResponse `json:"functionResponse,omitzero"`
	// ThoughtSignature proves the thought behind the part, whatever its kind.
	ThoughtSignature string `json:"thoughtSignature,omitzero"`
}

type inlineData struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"` // base64
}

type fileData struct {
	MIMEType string `json:"mimeType,omitzero"`
	FileURI  string `json:"fileUri"`
}

type functionCall struct {
	ID   string         `json:"id,omitzero"`
	Name string         `json:"name"`
	Args jsontext.Value `json:"args"`
}

type functionResponse struct {
	ID       string         `json:"id,omitzero"`
	Name     string         `json:"name"`
	Response jsontext.Value `json:"response"` // an object
}

type tool struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations,omitzero"`
	GoogleSearch         *struct{}             `json:"googleSearch,omitzero"`
}

type functionDeclaration struct {
	Name                 string         `json:"name"`
	Description          string         `json:"description,omitzero"`
	ParametersJSONSchema jsontext.Value `json:"parametersJsonSchema,omitzero"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"` // "AUTO", "ANY" or "NONE"
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitzero"`
}

type generationConfig struct {
	CandidateCount     int64           `json:"candidateCount,omitzero"`
	MaxOutputTokens    int64           `json:"maxOutputTokens,omitzero"`
	Temperature        *float64        `json:"temperature,omitzero"`
	TopP               *float64        `json:"topP,omitzero"`
	TopK               *int64          `json:"topK,omitzero"`
	Seed               *int64          `json:"seed,omitzero"`
	PresencePenalty    *float64        `json:"presencePenalty,omitzero"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty,omitzero"`
	StopSequences      []string        `json:"stopSequences,omitzero"`
	ResponseModalities []string        `json:"responseModalities,omitzero"`
	ResponseMIMEType   string          `json:"responseMimeType,omitzero"`
	ResponseJSONSchema jsontext.Value  `json:"responseJsonSchema,omitzero"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitzero"`
}

type thinkingConfig struct {
	IncludeThoughts bool   `json:"includeThoughts,omitzero"`
	ThinkingLevel   string `json:"thinkingLevel,omitzero"`
	ThinkingBudget  *int64 `json:"thinkingBudget,omitzero"`
}
