// PipelinesTests
