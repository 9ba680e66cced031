/* Presses buttons of the kernel's gpio-sim as bad contacts do: press FOLDER LINES COUNT HOLD_MS GAP_MS.
 * Each line is pressed COUNT times by a thread of its own; every change bounces for up to 8 ms. Pressed is
 * low. Prints "pressed" when all is done. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *folder;
static int count, hold, gap;

static void rest(long micros) {
	struct timespec t = { micros / 1000000, micros % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

static void set(int line, int pressed) {
	const char *pull = pressed ? "pull-down" : "pull-up";
	if (pwrite(line, pull, strlen(pull), 0) < 0) {
		perror("pull");
		exit(1);
	}
}

static void *work(void *arg) {
	long number = (long)arg;
	unsigned int seed = 1 + number;
	char path[256];
	snprintf(path, sizeof path, "%s/sim_gpio%ld/pull", folder, number);
	int line = open(path, O_WRONLY);
	if (line < 0) {
		perror(path);
		exit(1);
	}
	rest(rand_r(&seed) % 100000);
	for (int i = 0; i < count; i++)
		for (int pressed = 1; pressed >= 0; pressed--) {
			for (int bounce = rand_r(&seed) % 6; bounce > 0; bounce--) {
				set(line, rand_r(&seed) % 2);
				rest(rand_r(&seed) % 1300);
			}
			set(line, pressed);
			rest(1000L * (pressed ? hold : gap));
		}
	return NULL;
}

int main(int argc, char **argv) {
	if (argc != 6)
		return 2;
	folder = argv[1];
	int lines = atoi(argv[2]);
	count = atoi(argv[3]);
	hold = atoi(argv[4]);
	gap = atoi(argv[5]);
	pthread_t threads[64];
	for (long i = 0; i < lines && i < 64; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < lines && i < 64; i++)
		pthread_join(threads[i], NULL);
	puts("pressed");
	return 0;
}
