// Package compress makes a conversation shorter by what stands in its middle, which
// models heed the least (spec section 4.9, context-compression).
package compress

import "github.com/switchyard/switchyard/extproc/dialect"

// Bounds are what a conversation has to keep to.
type Bounds struct {
	// Messages is how many messages there may be besides instructions; zero is any
	// number. Half of them are kept from the start, half from the end.
	Messages int
	// Excess is by how many bytes of text the conversation is too long. Text is what
	// [dialect.Request.PromptBytes] counts of messages.
	Excess int64
}

// Report is what has become of a conversation.
type Report struct {
	// Removed counts the messages that are gone, Shortened the texts that were cut.
	Removed, Shortened int
	// Saved is how many bytes of text that comes to.
	Saved int64
}

// MiddleOut returns a conversation that keeps to the bounds, as far as one can be made of
// chat, and chat itself if that does. It writes to nothing of chat.
//
// Whole messages go first, from the middle outwards. Instructions stay, the first turn
// and the last one, with the last message of a user; calls of tools stay or go together
// with their results. The last message that would have to go stays in part, if that is
// enough. Where all this does not do, the longest texts lose their middles, which a
// [Marker] stands for; those of instructions last.
func MiddleOut(chat *dialect.Chat, bounds Bounds) (*dialect.Chat, Report) {
	c := newConversation(chat)
	c.limitMessages(bounds.Messages)
	if c.saved < bounds.Excess {
		c.removeMiddle(bounds.Excess)
	}
	if c.saved < bounds.Excess {
		c.shorten(bounds.Excess-c.saved, (*unit).isTurn)
	}
	if c.saved < bounds.Excess {
		c.shorten(bounds.Excess-c.saved, (*unit).isInstruction)
	}
	if c.removed() == 0 && len(c.cuts) == 0 {
		return chat, Report{}
	}
	return c.result(), Report{Removed: c.removed(), Shortened: len(c.cuts), Saved: c.saved}
}
