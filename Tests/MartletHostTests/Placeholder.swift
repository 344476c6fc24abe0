// MartletHostTests
