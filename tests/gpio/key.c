/* A pedal on a USB socket, made of the kernel's uinput: there for some seconds, pressed once, gone again. */
#include <fcntl.h>
#include <linux/uinput.h>
#include <stdio.h>
#include <string.h>
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
	usleep(200000);
}

int main(void) {
	struct uinput_setup setup = { .id = { .bustype = BUS_USB }, .name = "pedal" };
	device = open("/dev/uinput", O_WRONLY);
	if (device < 0 || ioctl(device, UI_SET_EVBIT, EV_KEY) < 0 || ioctl(device, UI_SET_KEYBIT, KEY_F13) < 0 ||
	    ioctl(device, UI_DEV_SETUP, &setup) < 0 || ioctl(device, UI_DEV_CREATE) < 0) {
		perror("uinput");
		return 1;
	}
	/* The server finds it meanwhile. */
	sleep(3);
	key(1);
	key(0);
	sleep(1);
	return 0;
}
