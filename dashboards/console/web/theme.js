// Before anything is painted: the theme that was chosen, if any.
(() => {
  try {
    const theme = localStorage.getItem('feige.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch { /* the system's then */ }
})();
