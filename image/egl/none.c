/* An EGL that draws nothing, behind libglvnd's libEGL (/usr/share/doc/libglvnd, glvnd/libeglabi.h).
 *
 * WebKit's web process ends itself when there is no EGL display at all (PlatformDisplay in WebCore), although the
 * kiosk's window has it draw with the processor only and neither a context nor a surface is ever asked for. The one
 * EGL that Debian has is Mesa's, which brings LLVM: 185 MB of libraries that both of WebKit's processes would load
 * and relocate before they draw the first letter. So the image has this instead: a display with no configurations,
 * on which every further question fails in the way the specification (EGL 1.5) has for it. */
#include <glvnd/libeglabi.h>
#include <string.h>

static EGLint error = EGL_SUCCESS;
static char display;

static EGLBoolean refuse(EGLint why) {
	error = why;
	return EGL_FALSE;
}

/* The only kind that needs neither a device nor a window. */
static EGLDisplay platform_display(EGLenum platform, void *native, const EGLAttrib *attributes) {
	(void)native, (void)attributes;
	if (platform == EGL_PLATFORM_SURFACELESS_MESA)
		return &display;
	error = EGL_BAD_PARAMETER;
	return EGL_NO_DISPLAY;
}

static EGLBoolean supports(EGLenum api) { return api == EGL_OPENGL_ES_API; }

static const char *vendor_string(int name) {
	return name == __EGL_VENDOR_STRING_PLATFORM_EXTENSIONS ? "EGL_MESA_platform_surfaceless" : NULL;
}

static EGLint get_error(void) {
	EGLint said = error;
	error = EGL_SUCCESS;
	return said;
}

static EGLBoolean initialize(EGLDisplay one, EGLint *major, EGLint *minor) {
	(void)one;
	if (major)
		*major = 1;
	if (minor)
		*minor = 5;
	return EGL_TRUE;
}

static EGLBoolean terminate(EGLDisplay one) {
	(void)one;
	return EGL_TRUE;
}

static const char *query_string(EGLDisplay one, EGLint name) {
	if (name == EGL_EXTENSIONS)
		return one == EGL_NO_DISPLAY ? "EGL_EXT_client_extensions EGL_EXT_platform_base EGL_MESA_platform_surfaceless" : "";
	switch (name) {
	case EGL_VENDOR: return "Gatepost";
	case EGL_VERSION: return "1.5";
	case EGL_CLIENT_APIS: return "OpenGL_ES";
	default: refuse(EGL_BAD_PARAMETER); return NULL;
	}
}

static EGLBoolean choose(EGLDisplay one, const EGLint *attributes, EGLConfig *configs, EGLint size, EGLint *count) {
	(void)one, (void)attributes, (void)configs, (void)size;
	if (!count)
		return refuse(EGL_BAD_PARAMETER);
	*count = 0;
	return EGL_TRUE;
}

static EGLBoolean get_configs(EGLDisplay one, EGLConfig *configs, EGLint size, EGLint *count) {
	return choose(one, NULL, configs, size, count);
}

static EGLBoolean bind_api(EGLenum api) { return supports(api) ? EGL_TRUE : refuse(EGL_BAD_PARAMETER); }
static EGLenum query_api(void) { return EGL_OPENGL_ES_API; }
static EGLBoolean done(void) { return EGL_TRUE; }

/* Whatever takes a configuration, a context or a surface, of which there are none. The arguments aren't looked at,
 * and on every machine there is whoever calls takes them away. */
static void *no_object(void) {
	error = EGL_BAD_CONFIG;
	return NULL;
}

static const struct {
	const char *name;
	void *function;
} functions[] = {
	{ "eglGetError", get_error },
	{ "eglInitialize", initialize },
	{ "eglTerminate", terminate },
	{ "eglQueryString", query_string },
	{ "eglChooseConfig", choose },
	{ "eglGetConfigs", get_configs },
	{ "eglBindAPI", bind_api },
	{ "eglQueryAPI", query_api },
	{ "eglReleaseThread", done },
	{ "eglWaitClient", done },
	{ "eglWaitGL", done },
	{ "eglWaitNative", done },
};

static void *address(const char *name) {
	for (size_t at = 0; at < sizeof functions / sizeof *functions; at++)
		if (strcmp(functions[at].name, name) == 0)
			return functions[at].function;
	return strncmp(name, "egl", 3) == 0 ? no_object : NULL;
}

/* There are no extensions to dispatch. */
static void *dispatch_address(const char *name) {
	(void)name;
	return NULL;
}

static void dispatch_index(const char *name, int index) { (void)name, (void)index; }

EGLBoolean __egl_Main(uint32_t version, const __EGLapiExports *exports, __EGLvendorInfo *vendor, __EGLapiImports *imports) {
	(void)exports, (void)vendor;
	if (EGL_VENDOR_ABI_GET_MAJOR_VERSION(version) != EGL_VENDOR_ABI_MAJOR_VERSION)
		return EGL_FALSE;
	imports->getPlatformDisplay = platform_display;
	imports->getSupportsAPI = supports;
	imports->getVendorString = vendor_string;
	imports->getProcAddress = address;
	imports->getDispatchAddress = dispatch_address;
	imports->setDispatchIndex = dispatch_index;
	return EGL_TRUE;
}
