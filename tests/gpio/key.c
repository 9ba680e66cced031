/* A pedal on a USB socket, made of the kernel's uinput. Pressed as soon as somebody has opened it, let go when
 * standard input ends, and gone again. */
#include <fcntl.h>
#include <linux/uinput.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int device;

static void tell(int kind, int code, int value) {
	struct input_event event = { .type = kind, .code = code, .value = value };
	if (write(device, &event, sizeof event) < 0)
		perror("event");
}

static void key(int pressed) {
	tell(EV_KEY, KEY_F13, pressed);
	tell(EV_SYN, SYN_REPORT, 0);
}

/* Returns when the folder's newest file is open. */
static int opened(int watch) {
	char buffer[4096] __attribute__((aligned(8))), newest[256] = "";
	for (;;) {
		ssize_t length = read(watch, buffer, sizeof buffer);
		if (length <= 0)
			return -1;
		for (char *at = buffer; at < buffer + length;) {
			struct inotify_event *event = (struct inotify_event *)at;
			/* Without a name: the folder itself was opened, and what follows is of an earlier event. */
			if (event->len == 0)
				;
			else if (event->mask & IN_CREATE)
				snprintf(newest, sizeof newest, "%s", event->name);
			else if (*newest && strcmp(event->name, newest) == 0)
				return 0;
			at += sizeof *event + event->len;
		}
	}
}

int main(void) {
	struct uinput_setup setup = { .id = { .bustype = BUS_USB }, .name = "pedal" };
	/* Before it is there, so that nothing is missed. */
	int watch = inotify_init();
	if (inotify_add_watch(watch, "/dev/input", IN_CREATE | IN_OPEN) < 0) {
		perror("/dev/input");
		return 1;
	}
	device = open("/dev/uinput", O_WRONLY);
	if (device < 0 || ioctl(device, UI_SET_EVBIT, EV_KEY) < 0 || ioctl(device, UI_SET_KEYBIT, KEY_F13) < 0 ||
	    ioctl(device, UI_DEV_SETUP, &setup) < 0 || ioctl(device, UI_DEV_CREATE) < 0) {
		perror("uinput");
		return 1;
	}
	if (opened(watch) < 0) {
		perror("inotify");
		return 1;
	}
	key(1);
	char rest[64];
	while (read(0, rest, sizeof rest) > 0)
		;
	key(0);
	return 0;
}
