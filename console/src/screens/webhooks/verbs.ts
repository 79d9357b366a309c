/** What can be done to a webhook for good. */
import type { Webhook, WebhookSecret } from "../../api/types";
import { go, href } from "../../place";
import { act } from "../../shell/act";

/** Returns the path of a webhook in the API. */
export function pathOf(name: string): string {
	return `webhooks/${encodeURIComponent(name)}`;
}

/** Removes it, after a question. */
export async function removeWebhook(hook: Webhook): Promise<void> {
	const done = await act({
		method: "DELETE",
		path: pathOf(hook.name),
		asks: {
			title: `Remove ${hook.name}?`,
			says: "It is told of nothing more. Messages that wait are not sent.",
			verb: "Remove it",
			bad: true,
		},
		says: `${hook.name} is removed.`,
		topics: ["webhooks"],
	});
	if (done !== undefined) go(href("webhooks"));
}

/** Makes a new secret, after a question; returns the webhook with it. */
export function rotate(hook: Webhook): Promise<WebhookSecret | null | undefined> {
	return act<WebhookSecret>({
		path: `${pathOf(hook.name)}/$rotate`,
		body: {},
		asks: {
			title: `Make a new secret for ${hook.name}?`,
			says: "For a day messages are signed with the old one, too, so that the receiver can change.",
			verb: "Make a new one",
		},
		says: "Messages are signed with a new secret.",
		topics: ["webhooks"],
	});
}
