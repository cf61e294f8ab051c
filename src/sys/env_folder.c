/* env_folder.c - the part of watching a folder that all worlds have: see env.h. */
#include "base/mem.h"
#include "sys/env.h"

static void folder_settled(void *ctx)
{
	struct folder_watch *w = ctx;
	struct err why;
	CHECK(w, FOLDER_WATCH_MAGIC);
	w->over = w->in_doubt && !w->env->ops->folder_is_there(w, &why);
	w->in_doubt = false;
	w->changed(w->ctx, w->over ? &why : NULL); /* may have unwatched it */
}

void env_folder_changed(struct folder_watch *w, bool itself)
{
	CHECK(w, FOLDER_WATCH_MAGIC);
	if (w->over)
		return;
	w->in_doubt = w->in_doubt || itself;
	if (!timer_is_set(&w->settles))
		timer_after(&w->settles, FOLDER_SETTLE_MS);
}

struct folder_watch *env_watch_folder(struct env *env, const char *path, folder_f *changed, void *ctx, struct err *e)
{
	CHECK(env, ENV_MAGIC);
	if (env->ops->watch_folder == NULL) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: this world does not tell of changes", path);
		return NULL;
	}
	struct folder_watch *w = env->ops->watch_folder(env, path, e);
	if (w == NULL)
		return NULL;
	w->magic = FOLDER_WATCH_MAGIC;
	w->env = env;
	w->changed = changed;
	w->ctx = ctx;
	timer_init(&w->settles, env, folder_settled, w);
	w->next = env->folders;
	env->folders = w;
	return w;
}

void folder_unwatch(struct folder_watch **w)
{
	if (*w == NULL)
		return;
	CHECK(*w, FOLDER_WATCH_MAGIC);
	struct folder_watch **at = &(*w)->env->folders;
	while (*at != *w)
		at = &(*at)->next;
	*at = (*w)->next;
	timer_stop(&(*w)->settles);
	(*w)->env->ops->folder_unwatch(*w);
	*w = NULL;
}
