// theme.js - light or dark, before anything is drawn: what was chosen here once, else what the system has.
(() => {
	const chosen = localStorage.getItem("posthorn-theme");
	if (chosen === "light" || chosen === "dark")
		document.documentElement.dataset.theme = chosen;
})();
